import { once } from "node:events";
import type { Duplex, Readable } from "node:stream";
import type { Client, ClientChannel } from "ssh2";
import { LineCutter } from "../docker/stream-lines.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { describeAddress, type SshAddress } from "./ssh-target.ts";

export interface ExecOptions {
  readonly stdin?: Uint8Array | string | Readable;
  /** Called for each whole line of standard output as it arrives. */
  readonly onStdoutLine?: (line: string) => void;
  /** Gets standard output as it comes, instead of `stdout` and `onStdoutLine`; a Promise holds the host back. */
  readonly onStdout?: (chunk: Buffer) => void | Promise<void>;
  /** Ends our waiting. The program on the host goes on: SSH has no sure way to end it. */
  readonly signal?: AbortSignal;
}

export interface ExecResult {
  /** Exit status. Null without a signal means that the link broke or the host told none: the outcome is unknown. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The last mebibyte. */
  readonly stdout: string;
  readonly stderr: string;
}

const KEPT_BYTES = 1024 * 1024;
const CLOSE_MILLISECONDS = 2000;

/** A login on a host. Owns the connection, and the one to the jump host below it. */
export class Connection implements AsyncDisposable {
  readonly target: SshAddress;
  readonly #client: Client;
  readonly #jump: Connection | undefined;
  #channels = 0;
  #isClosed = false;

  constructor(target: SshAddress, client: Client, jump: Connection | undefined) {
    this.target = target;
    this.#client = client;
    this.#jump = jump;
    client.once("close", () => (this.#isClosed = true));
  }

  /** Channels opened so far: each costs a round trip. */
  get channels(): number {
    return this.#channels;
  }

  async exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    options.signal?.throwIfAborted();
    return await runOn(await this.#open(command), options);
  }

  /** A TCP channel from this host to another. */
  async forward(address: string, port: number): Promise<Duplex> {
    this.#channels += 1;
    return await new Promise<Duplex>((resolve, reject) => {
      this.#client.forwardOut("127.0.0.1", 0, address, port, (error, channel) => (error === undefined ? resolve(channel) : reject(error)));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isClosed) {
      const closed = once(this.#client, "close");
      this.#client.end();
      // A host that no longer answers must not hold us.
      const timer = setTimeout(() => this.#client.destroy(), CLOSE_MILLISECONDS);
      await closed;
      clearTimeout(timer);
    }
    await this.#jump?.[Symbol.asyncDispose]();
  }

  async #open(command: string): Promise<ClientChannel> {
    this.#channels += 1;
    try {
      return await new Promise<ClientChannel>((resolve, reject) => {
        // Throws at once when the connection is gone.
        this.#client.exec(command, (error, channel) => (error === undefined ? resolve(channel) : reject(error)));
      });
    } catch (error) {
      throw new MillwrightError("LINK_LOST", `The host opened no channel for a command: ${error instanceof Error ? error.message : String(error)}.`, {
        subject: describeAddress(this.target),
        hint: "Connect again; `millwright follow` tells what is under way.",
        cause: error,
      });
    }
  }
}

async function runOn(channel: ClientChannel, options: ExecOptions): Promise<ExecResult> {
  const { signal, stdin } = options;
  let exit: Pick<ExecResult, "code" | "signal"> = { code: null, signal: null };
  channel.on("exit", (code: number | null, name?: string) => (exit = { code, signal: name ?? null }));
  const stderr = new Tail();
  channel.stderr.on("data", (chunk: Buffer) => stderr.add(chunk));
  const input = stdin === undefined || typeof stdin === "string" || stdin instanceof Uint8Array ? undefined : stdin;
  const closed = new Promise<void>((resolve) =>
    channel.once("close", () => {
      // The program wants no more of it.
      input?.destroy();
      resolve();
    }),
  );
  const onAbort = (): void => void channel.destroy(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    const [stdout] = await Promise.all([receive(channel, options), input === undefined ? channel.end(stdin ?? "") : send(channel, input)]);
    await closed;
    return { ...exit, stdout, stderr: stderr.text() };
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Reads standard output to its end: a channel with unread output never closes. */
async function receive(channel: ClientChannel, { onStdout, onStdoutLine }: ExecOptions): Promise<string> {
  const stdout = new Tail();
  const lines = onStdoutLine === undefined ? undefined : new LineCutter(onStdoutLine);
  for await (const chunk of channel as AsyncIterable<Buffer>) {
    if (onStdout !== undefined) await onStdout(chunk);
    else stdout.add(chunk);
    lines?.write(chunk);
  }
  lines?.end();
  return stdout.text();
}

/** Sends standard input, waiting whenever the host's window is full. */
async function send(channel: ClientChannel, input: Readable): Promise<void> {
  try {
    for await (const chunk of input) if (!channel.write(chunk)) await writableAgain(channel);
  } catch (error) {
    if (channel.destroyed || !channel.writable) return;
    channel.destroy();
    throw error;
  }
  channel.end();
}

function writableAgain(channel: ClientChannel): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      channel.off("drain", settle);
      channel.off("close", settle);
      resolve();
    };
    channel.on("drain", settle);
    channel.on("close", settle);
  });
}

/** The end of what was written, up to a limit. */
class Tail {
  #bytes: Buffer[] = [];
  #size = 0;

  add(chunk: Buffer): void {
    this.#bytes.push(chunk);
    this.#size += chunk.length;
    if (this.#size <= 2 * KEPT_BYTES) return;
    this.#bytes = [Buffer.concat(this.#bytes).subarray(-KEPT_BYTES)];
    this.#size = KEPT_BYTES;
  }

  text(): string {
    return Buffer.concat(this.#bytes).subarray(-KEPT_BYTES).toString("utf8");
  }
}
