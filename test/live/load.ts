import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

/** By its own path, so that it is found from whatever directory the test runs in. */
const TSX = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

export interface LoadOptions {
  readonly address: string;
  readonly port: number;
  readonly domain: string;
  /** Requests for `path` a second, started by the clock whether or not earlier ones have answered. */
  readonly rate: number;
  readonly path: string;
  /** A request that takes seconds, started again as soon as it has answered; empty for none. */
  readonly slowPath: string;
  readonly websocket: boolean;
  /** Further websockets that are opened at the start and not again. */
  readonly held: number;
  /**
   * Sends a request again on another connection when the kept one was closed before an answer began, as browsers do with a GET (RFC 9110, 9.2.2): where
   * the proxy itself ends, one may be used in the moment in which it is closed. False unless said otherwise, for elsewhere that must not happen.
   */
  readonly sendsAgain?: boolean;
}

export interface LoadReport {
  readonly sent: number;
  readonly failed: number;
  /** First failures, for the reader. */
  readonly failures: readonly string[];
  /** When each failed request began and when it ended (milliseconds since the epoch). */
  readonly failedSpans: readonly { readonly began: number; readonly ended: number }[];
  /** Longest time between two good answers, in milliseconds. */
  readonly longestGapMilliseconds: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  readonly slowSent: number;
  readonly slowFailed: number;
  readonly sentAgain: number;
  readonly websocketReconnects: number;
  readonly websocketAwayMilliseconds: number;
  /** When each of the held websockets was lost (milliseconds since the epoch). */
  readonly heldLostAt: readonly number[];
  /** Answers by colour, with the time of the first and of the last one (milliseconds since the epoch). */
  readonly colours: Readonly<Record<string, { readonly answers: number; readonly first: number; readonly last: number }>>;
  /** The colours of the good answers in the order in which the requests began, each named once for as long as nobody met another. */
  readonly moves: readonly string[];
}

export interface Load {
  stop(): Promise<LoadReport>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts constant open-loop load in a process of its own, so that the work under test does not slow the clock of the load. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const child = fork(fileURLToPath(new URL("load-process.ts", import.meta.url)), [JSON.stringify(options)], { execArgv: ["--import", TSX] });
  await messageOf(child);
  let report: LoadReport | undefined;
  const stop = async (): Promise<LoadReport> => {
    if (report !== undefined) return report;
    const answer = messageOf(child);
    child.send("stop");
    report = (await answer) as LoadReport;
    child.disconnect();
    await once(child, "exit");
    return report;
  };
  return {
    stop,
    [Symbol.asyncDispose]: async () => {
      if (report === undefined && child.exitCode === null) child.kill("SIGKILL");
    },
  };
}

/** The next message of the load's process; its death is an error, since no message would ever come. */
function messageOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const died = (code: number | null, signal: NodeJS.Signals | null): void => reject(new Error(`The load's process died: ${signal ?? `exit ${code}`}.`));
    child.once("exit", died);
    child.once("message", (message) => {
      child.off("exit", died);
      resolve(message);
    });
  });
}
