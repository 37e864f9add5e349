import { redact } from "./secret.ts";

/** Runs programs: on this machine (docker room, agent) or through SSH (remote room). Words stay words until the last moment. */
export interface Shell {
  run(words: readonly string[], options?: RunOptions): Promise<RunResult>;
}

export interface RunOptions {
  /** Bytes for standard input; without it the program reads end of file. Secrets go this way, never by argv. */
  readonly input?: string | Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Then the program is ended, and the call throws TIMED_OUT. */
  readonly timeoutMilliseconds?: number;
  readonly signal?: AbortSignal;
  /** Called for each complete line of standard output and standard error as it arrives. */
  readonly onLine?: (line: string) => void;
}

export interface RunResult {
  /** Exit status; null when a signal ended the program or the link broke before one was known. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The last lines of a program's output that say something, secrets masked: what an error shows of it. */
export function lastLines(output: string, count: number): readonly string[] {
  return redact(output)
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .slice(-count);
}

/** Quotes words for a POSIX shell, for the places that take only a string (an SSH exec request). */
export function quoteWords(words: readonly string[]): string {
  return words.map((word) => (/^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)).join(" ");
}
