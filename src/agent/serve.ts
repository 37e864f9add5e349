import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { toErrorRecord } from "../kernel/error-record.ts";
import { asMillwrightError, MillwrightError } from "../kernel/errors.ts";
import type { Events } from "../kernel/events.ts";
import { redactValue } from "../kernel/secret.ts";
import { VERSION } from "../kernel/version.ts";
import { type ArgumentsOf, readArguments } from "./arguments.ts";
import { type PayloadOf, readPayload } from "./payload.ts";
import type { ReplyLine, Verb } from "./protocol.ts";

export interface VerbCall<V extends Verb> {
  readonly args: ArgumentsOf<V>;
  readonly payload: PayloadOf<V>;
  /** Who calls, for the journal: the key's name and the address it came from. */
  readonly who: string;
  readonly events: Events;
  /** Aborts when nobody listens any more. */
  readonly signal: AbortSignal;
}

export interface VerbAnswer {
  /** JSON for the caller. */
  readonly result: unknown;
  /** Bytes that follow the result, such as an image archive; the caller trusts them only if the verb then ends with status 0. */
  readonly body?: Readable;
}

export type Handler<V extends Verb> = (call: VerbCall<V>) => Promise<VerbAnswer>;

/** The verbs of an agent. */
export type VerbTable = { readonly [V in Verb]?: Handler<V> };

export interface VerbStreams {
  readonly input: Readable;
  /** Gets JSON lines and nothing else: events, then one result or one error. */
  readonly output: Writable;
}

/** Serves one verb and returns the exit status. Never throws: every failure is an error line. */
export async function serveVerb(table: VerbTable, verb: Verb, words: readonly string[], who: string, streams: VerbStreams): Promise<number> {
  const gone = new AbortController();
  const write = replyWriter(streams.output, (cause) => gone.abort(new MillwrightError("LINK_LOST", "The caller is gone.", { cause })));
  let answer: VerbAnswer;
  try {
    answer = await callVerbHandler(table, verb, words, {
      payload: await readPayload(verb, streams.input),
      who,
      events: { emit: (event) => write({ event }) },
      signal: gone.signal,
    });
  } catch (error) {
    const problem = asMillwrightError(error);
    write({ ok: false, agent: VERSION, error: toErrorRecord(problem) });
    await flushed(streams.output);
    return problem.exit;
  }
  write({ ok: true, agent: VERSION, result: answer.result ?? null });
  try {
    if (answer.body !== undefined) await pipeline(answer.body, streams.output, { end: false });
  } catch (error) {
    // Among the bytes of the body nothing can be said any more but by the status.
    return asMillwrightError(error).exit;
  }
  await flushed(streams.output);
  return 0;
}

/** Tells a caller that its command was refused before it became a verb. Returns the exit status. */
export function refuse(error: MillwrightError, output: Writable): number {
  replyWriter(output)({ ok: false, agent: VERSION, error: toErrorRecord(error) });
  return error.exit;
}

/** Writes a caller's reply lines. When its link breaks, what was started for it goes on; only the telling ends. */
export function replyWriter(output: Writable, onGone: (cause: Error) => void = () => {}): (line: ReplyLine) => void {
  let isGone = false;
  output.on("error", (cause) => {
    isGone = true;
    onGone(cause);
  });
  return (line) => {
    if (!isGone) output.write(`${JSON.stringify(redactValue(line))}\n`);
  };
}

/** Checks the arguments and calls the verb's handler: also the way in for a caller in the same process. */
export async function callVerbHandler<V extends Verb>(
  table: VerbTable,
  verb: V,
  words: readonly string[],
  call: Omit<VerbCall<V>, "args">,
): Promise<VerbAnswer> {
  const args = readArguments(verb, words);
  const handler = table[verb];
  if (handler === undefined) throw new MillwrightError("GATE_REFUSED", `This agent has no code for the verb ${verb}.`);
  return await handler({ ...call, args });
}

/** Resolves when everything written is on its way, or cannot be any more. */
async function flushed(output: Writable): Promise<void> {
  await new Promise<void>((resolve) => output.write("", () => resolve()));
}
