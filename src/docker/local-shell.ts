import { spawn } from "node:child_process";
import { kill } from "node:process";
import { hasCode } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { RunOptions, RunResult, Shell } from "../kernel/shell.ts";
import { LineCutter } from "./stream-lines.ts";

/** Enough for any program we call; of more only the end is kept. */
const OUTPUT_LIMIT = 16 * 1024 * 1024;
const KILL_AFTER_MILLISECONDS = 10_000;

/** The environment is a parameter: nothing of the caller's own (DOCKER_HOST, proxies, locale) leaks into what we run. */
const PLAIN_ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", LC_ALL: "C.UTF-8" };

/** For programs that only look or change a setting; what may rightly take longer is given more where it is called. */
const LIMIT_MILLISECONDS = 5 * 60_000;

/** Runs programs on this machine, each in a process group of its own, so that ending it ends its children too. */
export function localShell(environment: Readonly<Record<string, string>> = PLAIN_ENVIRONMENT, limitMilliseconds: number = LIMIT_MILLISECONDS): Shell {
  return { run: (words, options) => runProgram(words, environment, { timeoutMilliseconds: limitMilliseconds, ...options }) };
}

async function runProgram(words: readonly string[], environment: Readonly<Record<string, string>>, options: RunOptions): Promise<RunResult> {
  const [program, ...rest] = words;
  if (program === undefined) throw new MillwrightError("INTERNAL", "There is no program to run.");
  options.signal?.throwIfAborted();

  return await new Promise<RunResult>((resolve, reject) => {
    const child = spawn(program, rest, {
      env: { ...environment, ...options.environment },
      ...(options.directory === undefined ? {} : { cwd: options.directory }),
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    let ending: Error | undefined;
    let force: NodeJS.Timeout | undefined;
    const end = (reason: Error): void => {
      if (ending !== undefined) return;
      ending = reason;
      signalGroup(child.pid, "SIGTERM");
      force = setTimeout(() => signalGroup(child.pid, "SIGKILL"), KILL_AFTER_MILLISECONDS);
    };
    const onAbort = (): void => end(options.signal?.reason instanceof Error ? options.signal.reason : new Error("aborted"));
    options.signal?.addEventListener("abort", onAbort, { once: true });
    const limit = options.timeoutMilliseconds;
    const timer = limit === undefined ? undefined : setTimeout(() => end(tooLong(program, limit)), limit);

    const stdout = collector(options.onLine);
    const stderr = collector(options.onLine);
    child.stdout.on("data", stdout.write);
    child.stderr.on("data", stderr.write);
    // A program that does not read its input closes the pipe; what it made of that is in its exit status.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");

    const settle = (): void => {
      clearTimeout(timer);
      clearTimeout(force);
      options.signal?.removeEventListener("abort", onAbort);
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      settle();
      if (error.code === "ENOENT") resolve({ code: 127, stdout: "", stderr: `${program}: not found` });
      else reject(error);
    });
    child.on("close", (code) => {
      settle();
      if (ending === undefined) resolve({ code, stdout: stdout.end(), stderr: stderr.end() });
      else reject(ending);
    });
  });
}

function tooLong(program: string, milliseconds: number): MillwrightError {
  return new MillwrightError("TIMED_OUT", `\`${program}\` did not end within ${Math.round(milliseconds / 1000)} s.`, {
    subject: program,
    hint: "Look on that machine at what holds it up (`ps faux`, `journalctl -n 50`, `df -h`), then run the command again.",
  });
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid !== undefined) sendSignal(-pid, signal);
}

/** Signals a process, or with a negative number a group; nothing when it has ended meanwhile. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, "ESRCH")) throw error;
  }
}

function collector(onLine: ((line: string) => void) | undefined): { readonly write: (chunk: Buffer) => void; readonly end: () => string } {
  let chunks: Buffer[] = [];
  let size = 0;
  const cutter = onLine === undefined ? undefined : new LineCutter(onLine);
  return {
    write: (chunk) => {
      cutter?.write(chunk);
      chunks.push(chunk);
      size += chunk.length;
      if (size > 2 * OUTPUT_LIMIT) {
        chunks = [Buffer.concat(chunks).subarray(-OUTPUT_LIMIT)];
        size = OUTPUT_LIMIT;
      }
    },
    end: () => {
      cutter?.end();
      return Buffer.concat(chunks).subarray(-OUTPUT_LIMIT).toString("utf8");
    },
  };
}
