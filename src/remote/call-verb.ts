import { Readable, type Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { gzipSync } from "node:zlib";
import { readArguments } from "../agent/arguments.ts";
import { type ReplyLine, replyLineSchema, VERBS, type Verb } from "../agent/protocol.ts";
import { fromErrorRecord } from "../kernel/error-record.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { MillwrightEvent } from "../kernel/events.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { lastLines } from "../kernel/shell.ts";
import { VERSION } from "../kernel/version.ts";
import type { Connection, ExecResult } from "./connection.ts";
import { describeAddress } from "./ssh-target.ts";

export interface CallOptions {
  /** A JSON value for a verb that takes one, a stream for a verb that takes bytes. */
  readonly payload?: unknown;
  readonly onEvent?: (event: MillwrightEvent) => void;
  /** Gets the bytes that follow the result of a verb that sends some; ended here when all have come. */
  readonly body?: Writable;
  /** Ends our waiting. What the verb has started on the host goes on. */
  readonly signal?: AbortSignal;
}

export interface VerbReply {
  /** Still to be validated. */
  readonly result: unknown;
  /** The agent's version. */
  readonly agent: string;
}

/** The agent's verbs, wherever it runs: behind an SSH connection or in this process. */
export interface AgentCaller {
  call(verb: Verb, words: readonly string[], options?: CallOptions): Promise<VerbReply>;
}

/** Verbs after which work goes on under systemd, whoever is there to see it. */
const STARTS_RUN: ReadonlySet<Verb> = new Set(["deploy", "upgrade", "rollback", "backup", "resume", "abort", "follow"]);

export function sshCaller(connection: Connection): AgentCaller {
  return { call: (verb, words, options) => callVerb(connection, verb, words, options) };
}

/** Calls one verb in one channel. Throws the verb's own error with its code, or LINK_LOST when no answer came: then the outcome is unknown. */
export async function callVerb(connection: Connection, verb: Verb, words: readonly string[], options: CallOptions = {}): Promise<VerbReply> {
  readArguments(verb, words);
  const reader = new ReplyReader(options);
  const stdin = encodePayload(verb, options.payload);
  const exit = await connection.exec([`millwright/${VERSION}`, verb, ...words].join(" "), {
    ...(stdin === undefined ? {} : { stdin }),
    onStdout: (chunk) => reader.read(chunk),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const { reply } = reader;
  if (reply === undefined) throw noAnswer(connection, verb, exit, reader.strayText);
  if (!reply.ok) throw fromErrorRecord(reply.error);
  if (options.body !== undefined) {
    if (exit.code !== 0) throw noAnswer(connection, verb, exit, "");
    options.body.end();
    await finished(options.body);
  }
  return { result: reply.result, agent: reply.agent };
}

function encodePayload(verb: Verb, payload: unknown): Readable | Uint8Array | undefined {
  const { payload: kind } = VERBS[verb];
  switch (kind) {
    case "none":
      return undefined;
    case "json":
      return Buffer.from(JSON.stringify(payload));
    case "json-gzip":
      return gzipSync(JSON.stringify(payload));
    case "stream":
      if (payload instanceof Readable) return payload;
      throw new MillwrightError("INTERNAL", `The verb ${verb} takes a stream.`);
  }
}

/** Takes an agent's output apart: lines up to the result, and from there on the bytes of the body. */
class ReplyReader {
  reply: Exclude<ReplyLine, { readonly event: unknown }> | undefined;
  /** The last of what was no reply: a host's greeting, or words of a shell. */
  strayText = "";
  readonly #options: CallOptions;
  #rest: Buffer[] = [];

  constructor(options: CallOptions) {
    this.#options = options;
  }

  async read(chunk: Buffer): Promise<void> {
    let bytes = chunk;
    while (this.reply === undefined) {
      const newline = bytes.indexOf(10);
      if (newline === -1) {
        this.#rest.push(bytes);
        return;
      }
      this.#readLine(Buffer.concat([...this.#rest, bytes.subarray(0, newline)]).toString("utf8"));
      this.#rest = [];
      bytes = bytes.subarray(newline + 1);
    }
    if (bytes.length > 0) await this.#readBody(bytes);
  }

  #readLine(line: string): void {
    const parsed = replyLineSchema.safeParse(parseJson(line));
    // An event of a kind that only a newer agent knows is passed over, like a greeting.
    if (!parsed.success) this.strayText = `${this.strayText}${line}\n`.slice(-2000);
    else if ("event" in parsed.data) this.#options.onEvent?.(parsed.data.event);
    else this.reply = parsed.data;
  }

  async #readBody(bytes: Buffer): Promise<void> {
    const { body } = this.#options;
    if (body === undefined || body.write(bytes)) return;
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: unknown): void => {
        body.off("drain", settle).off("error", settle).off("close", settle);
        if (error === undefined) resolve();
        else reject(error);
      };
      body.on("drain", settle).on("error", settle).on("close", settle);
    });
  }
}

function noAnswer(connection: Connection, verb: Verb, exit: ExecResult, stray: string): MillwrightError {
  const subject = describeAddress(connection.target);
  const details = lastLines(`${stray}${exit.stderr}`, 10);
  if (exit.code === 127 || /command not found|no such file|a password is required|not allowed to execute/i.test(exit.stderr)) {
    return new MillwrightError("AGENT_MISSING", "The host has no agent, or this account may not use it.", {
      subject,
      hint: "Set the host up with `millwright host bootstrap`.",
      details,
    });
  }
  const how =
    exit.code === null ? (exit.signal === null ? "the connection broke" : `the agent was killed (${exit.signal})`) : `the agent ended with status ${exit.code}`;
  return new MillwrightError("LINK_LOST", `The outcome of ${verb} is not known: ${how} before an answer came.`, {
    subject,
    hint: STARTS_RUN.has(verb)
      ? "What was started on the host goes on. Look again with `millwright follow`."
      : "Run the command again when the link is back: what had not arrived whole was dropped.",
    details,
  });
}
