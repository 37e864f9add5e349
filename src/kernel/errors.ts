import { ERROR_CODES, type ErrorCode } from "./error-codes.ts";
import { redact } from "./secret.ts";

export interface ErrorDetail {
  /** What it failed on: a host, a file with line and column, a service. */
  readonly subject?: string;
  /** The next thing to type or to look at; what the code says of it when left out. */
  readonly hint?: string;
  /** More lines for the reader: last log lines, a list of what is wrong. */
  readonly details?: readonly string[];
  readonly cause?: unknown;
}

/** The one error class. `message` says what failed and why in one sentence. */
export class MillwrightError extends Error {
  readonly code: ErrorCode;
  readonly subject: string | undefined;
  readonly hint: string;
  readonly details: readonly string[];

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "MillwrightError";
    this.code = code;
    this.subject = detail.subject;
    this.hint = detail.hint ?? ERROR_CODES[code].next;
    this.details = detail.details ?? [];
  }

  get exit(): number {
    return ERROR_CODES[this.code].exit;
  }
}

/** An error of another class, such as a socket's, as ours, with its cause kept. */
export function asMillwrightError(error: unknown): MillwrightError {
  if (error instanceof MillwrightError) return error;
  return fileError(error) ?? new MillwrightError("INTERNAL", redact(messageOf(error)), { cause: error });
}

/** Why the system refuses a file, in words; its other errors mean a fault of ours. */
const REFUSALS: Readonly<Record<string, string>> = {
  EACCES: "this account may not",
  EPERM: "this account may not",
  EROFS: "the file system is read-only",
  EISDIR: "it is a folder",
  ENAMETOOLONG: "its name is too long",
};

function fileError(error: unknown): MillwrightError | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  const path = "path" in error && typeof error.path === "string" ? error.path : undefined;
  const subject = path === undefined ? {} : { subject: path };
  if (error.code === "ENOSPC" || error.code === "EDQUOT") {
    const where = path === undefined ? "" : ` that holds ${path}`;
    return new MillwrightError("DISK_FULL", `The disk${where} is full.`, {
      ...subject,
      hint: "Make room (`df -h` shows where), then run the command again.",
      cause: error,
    });
  }
  const why = REFUSALS[String(error.code)];
  if (why === undefined || path === undefined) return undefined;
  return new MillwrightError("FILE_REFUSED", `${path} cannot be read or written: ${why}.`, { ...subject, cause: error });
}

/** Why no folder can be made at a path. */
const NO_FOLDER: Readonly<Record<string, string>> = {
  EEXIST: "there is a file of that name",
  ENOTDIR: "a part of its path is a file",
  ENOENT: "the file system takes no folder there",
};

/** What the system said when a folder was to be made, in words; another error as it is. */
export function folderRefused(path: string, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const why = NO_FOLDER[code] ?? REFUSALS[code];
  if (why === undefined) return error;
  const hint = code in NO_FOLDER ? { hint: "Name another folder." } : {};
  return new MillwrightError("FILE_REFUSED", `The folder ${path} cannot be made: ${why}.`, { subject: path, ...hint, cause: error });
}

/** The words of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
