import * as z from "zod";
import { ERROR_CODES, type ErrorCode } from "./error-codes.ts";
import { MillwrightError } from "./errors.ts";
import { redact } from "./secret.ts";

/** An error as it travels: in the agent's replies, in events and in JSON output. */
export const errorRecordSchema = z.object({
  code: z.string(),
  message: z.string(),
  subject: z.string().optional(),
  hint: z.string().optional(),
  details: z.array(z.string()).optional(),
});

export type ErrorRecord = z.infer<typeof errorRecordSchema>;

/** Text that came from elsewhere ends up in errors, so every string is redacted on its way out. */
export function toErrorRecord(error: MillwrightError): ErrorRecord {
  return {
    code: error.code,
    message: redact(error.message),
    ...(error.subject === undefined ? {} : { subject: redact(error.subject) }),
    hint: redact(error.hint),
    ...(error.details.length === 0 ? {} : { details: error.details.map(redact) }),
  };
}

/** The way back. A code that this version does not know becomes INTERNAL, with the unknown code in the message. */
export function fromErrorRecord(record: ErrorRecord): MillwrightError {
  const detail = {
    ...(record.subject === undefined ? {} : { subject: record.subject }),
    ...(record.hint === undefined ? {} : { hint: record.hint }),
    ...(record.details === undefined ? {} : { details: record.details }),
  };
  if (isErrorCode(record.code)) return new MillwrightError(record.code, record.message, detail);
  return new MillwrightError("INTERNAL", `${record.code}: ${record.message}`, detail);
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERROR_CODES, code);
}
