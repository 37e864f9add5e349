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
    const { signal } = options;
    signal?.throwIfAborted();
    this.#channels += 1;
    const over = new AbortController();
    try {
      return await new Promise<ExecResult>((resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason), { signal: over.signal });
        // Throws at once when the connection is gone. A quick program's exit may arrive together with the opening of its channel, so the
        // channel is listened to from within the callback.
        this.#client.exec(command, (error, channel) => {
          if (error !== undefined) reject(this.#noChannel(error));
          else if (signal?.aborted === true) channel.resume().close();
          else resolve(runOn(channel, options));
        });
      });
    } catch (error) {
      throw error instanceof Error && error.message === "Not connected" ? this.#noChannel(error) : error;
    } finally {
      over.abort();
    }
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
      const closed = new Promise<void>((resolve) => this.#client.once("close", () => resolve()));
      this.#client.end();
      // A host that no longer answers must not hold us.
      const timer = setTimeout(() => this.#client.destroy(), CLOSE_MILLISECONDS);
      await closed;
      clearTimeout(timer);
    }
    await this.#jump?.[Symbol.asyncDispose]();
  }

  #noChannel(error: Error): MillwrightError {
    return new MillwrightError("LINK_LOST", `The host opened no channel for a command: ${error.message}.`, {
      subject: describeAddress(this.target),
      hint: "Connect again; `millwright follow` tells what is under way.",
      cause: error,
    });
  }
}

/**
 * By events and not by stream iteration: ssh2's channel has a `destroy` of its own, which neither ends a loop over it nor passes an error
 * on, and it closes only when all that came was read.
 */
async function runOn(channel: ClientChannel, options: ExecOptions): Promise<ExecResult> {
  const { signal, stdin, onStdout, onStdoutLine } = options;
  const [stdout, stderr] = [new Tail(), new Tail()];
  const lines = onStdoutLine === undefined ? undefined : new LineCutter(onStdoutLine);
  let exit: Pick<ExecResult, "code" | "signal"> = { code: null, signal: null };
  let taken: Promise<void> = Promise.resolve();
  const over = new AbortController();
  try {
    await new Promise<void>((resolve, reject) => {
      const attempt = (work: () => void | Promise<void>): void => {
        const held = onAttempt(work, reject);
        if (held === undefined) return;
        channel.pause();
        taken = held.then(() => void channel.resume(), reject);
      };
      signal?.addEventListener("abort", () => reject(signal.reason), { signal: over.signal });
      if (signal?.aborted === true) reject(signal.reason);
      channel.on("data", (chunk: Buffer) => {
        if (onStdout === undefined) stdout.add(chunk);
        attempt(() => {
          lines?.write(chunk);
          return onStdout?.(chunk);
        });
      });
      channel.stderr.on("data", (chunk: Buffer) => stderr.add(chunk));
      channel.on("exit", (code: number | null, name?: string) => (exit = { code, signal: name ?? null }));
      channel.on("error", reject);
      channel.once("close", () => {
        attempt(() => lines?.end());
        // The last bytes may still be on their way to whoever takes them.
        void taken.then(resolve);
      });
      if (isReadable(stdin)) send(channel, stdin, over.signal).catch(reject);
      else channel.end(stdin ?? "");
    });
    return { ...exit, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    over.abort();
    channel.close();
  }
}

function onAttempt(work: () => void | Promise<void>, reject: (error: unknown) => void): Promise<void> | undefined {
  try {
    return work() ?? undefined;
  } catch (error) {
    reject(error);
    return undefined;
  }
}

function isReadable(stdin: ExecOptions["stdin"]): stdin is Readable {
  return stdin !== undefined && typeof stdin !== "string" && !(stdin instanceof Uint8Array);
}

/** Sends standard input, waiting whenever the host's window is full. Stops when the program has ended and wants no more. */
async function send(channel: ClientChannel, input: Readable, over: AbortSignal): Promise<void> {
  over.addEventListener("abort", () => input.destroy());
  try {
    for await (const chunk of input) {
      if (over.aborted) return;
      if (!channel.write(chunk)) await writableAgain(channel, over);
    }
  } catch (error) {
    // Our own destroying of the input, since nobody reads it any more.
    if (over.aborted) return;
    throw error;
  }
  channel.end();
}

function writableAgain(channel: ClientChannel, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      channel.off("drain", settle);
      over.removeEventListener("abort", settle);
      resolve();
    };
    channel.on("drain", settle);
    over.addEventListener("abort", settle);
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
