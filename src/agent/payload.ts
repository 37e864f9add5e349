import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import * as z from "zod";
import { hasCode } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { VERBS, type Verb } from "./protocol.ts";

/** What a verb gets from standard input: nothing, a JSON value that it still has to validate, or the bytes as they come. */
export type PayloadOf<V extends Verb> = (typeof VERBS)[V]["payload"] extends "none"
  ? undefined
  : (typeof VERBS)[V]["payload"] extends "stream"
    ? Readable
    : unknown;

const JSON_LIMIT = 4 * 1024 * 1024;
const UNZIPPED_LIMIT = 32 * 1024 * 1024;

export async function readPayload<V extends Verb>(verb: V, input: Readable): Promise<PayloadOf<V>> {
  return (await readKind(VERBS[verb].payload, input)) as PayloadOf<V>;
}

async function readKind(kind: (typeof VERBS)[Verb]["payload"], input: Readable): Promise<unknown> {
  switch (kind) {
    case "none":
      return undefined;
    case "stream":
      return input;
    case "json":
      return await readJson(input, JSON_LIMIT);
    case "json-gzip":
      return parse(await unzip(await collect(input, UNZIPPED_LIMIT)));
  }
}

/** A JSON value from a stream, up to a limit in bytes. */
export async function readJson(input: Readable, limit: number): Promise<unknown> {
  return parse(await collect(input, limit));
}

/** What a payload must be, or PAYLOAD_INVALID with all that is wrong with it. */
export function checkPayload<T>(schema: z.ZodType<T>, payload: unknown): T {
  const parsed = schema.safeParse(payload);
  if (parsed.success) return parsed.data;
  throw new MillwrightError("PAYLOAD_INVALID", "What was sent is not what this verb takes.", { details: z.prettifyError(parsed.error).split("\n") });
}

async function collect(input: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw tooBig(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function unzip(bytes: Buffer): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: UNZIPPED_LIMIT });
  } catch (error) {
    if (hasCode(error, "ERR_BUFFER_TOO_LARGE")) throw tooBig(UNZIPPED_LIMIT);
    throw new MillwrightError("PAYLOAD_INVALID", "What was sent is cut short or not gzip.", { cause: error });
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new MillwrightError("PAYLOAD_INVALID", "What was sent is cut short or not JSON.", { cause: error });
  }
}

function tooBig(limit: number): MillwrightError {
  return new MillwrightError("PAYLOAD_INVALID", `What was sent is bigger than ${limit / 1024 / 1024} MiB.`);
}
