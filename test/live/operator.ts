import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as z from "zod";

export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const LAUNCHER = fileURLToPath(new URL("../../bin/millwright.cjs", import.meta.url));

const documentSchema = z.union([
  z.object({ ok: z.literal(true), command: z.string(), data: z.record(z.string(), z.unknown()) }),
  z.object({
    ok: z.literal(false),
    command: z.string(),
    error: z.object({
      code: z.string(),
      message: z.string(),
      subject: z.string().optional(),
      hint: z.string().optional(),
      details: z.array(z.string()).optional(),
    }),
  }),
]);

export type Answer = z.infer<typeof documentSchema>;
export type AnswerError = Extract<Answer, { ok: false }>["error"];

/** How a command ended: what a shell sees, and the JSON document when it was asked for. */
export interface Outcome {
  readonly words: readonly string[];
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly json: Answer | undefined;
  readonly seconds: number;
  /** Highest resident memory of the process, in bytes; 0 when it was over before it was looked at. */
  readonly peakBytes: number;
}

export interface Command {
  readonly process: ChildProcess;
  readonly done: Promise<Outcome>;
}

export interface OperatorOptions {
  /** Where the operator's own keys live. */
  readonly home: string;
  readonly directory: string;
  /** The private key that SSH logs in with. */
  readonly identityFile: string;
  readonly onLine?: (line: string) => void;
  /** What the command finds on its standard input; nothing by itself. */
  readonly input?: string;
}

/** Types a millwright command as an operator does: a process of its own, no terminal. */
export function startMillwright(words: readonly string[], options: OperatorOptions): Command {
  const began = performance.now();
  const child = spawn(process.execPath, [LAUNCHER, ...words], {
    cwd: options.directory,
    env: {
      PATH: process.env["PATH"],
      HOME: options.home,
      XDG_CONFIG_HOME: options.home,
      MILLWRIGHT_IDENTITY: options.identityFile,
      NO_COLOR: "1",
      LANG: "C.UTF-8",
    },
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  child.stdin?.end(options.input);
  return { process: child, done: finish(child, words, began, options.onLine) };
}

export async function millwright(words: readonly string[], options: OperatorOptions): Promise<Outcome> {
  return startMillwright(words, options).done;
}

async function finish(child: ChildProcess, words: readonly string[], began: number, onLine: OperatorOptions["onLine"]): Promise<Outcome> {
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    let rest = "";
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      texts[name] += chunk;
      if (onLine === undefined) return;
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
    });
  }
  let peakBytes = 0;
  const watch = setInterval(() => {
    peakBytes = Math.max(peakBytes, peakOf(child.pid));
  }, 50);
  const [code] = (await once(child, "close")) as [number | null];
  clearInterval(watch);
  const seconds = (performance.now() - began) / 1000;
  return { words, code, ...texts, json: words.includes("--json") ? parseAnswer(texts.stdout) : undefined, seconds, peakBytes };
}

function peakOf(pid: number | undefined): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(match?.[1] ?? 0) * 1024;
  } catch {
    // The process has ended between two looks.
    return 0;
  }
}

function parseAnswer(stdout: string): Answer | undefined {
  const result = documentSchema.safeParse(JSON.parse(stdout === "" ? "null" : stdout));
  return result.success ? result.data : undefined;
}
