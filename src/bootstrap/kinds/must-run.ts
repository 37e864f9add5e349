import { MillwrightError } from "../../kernel/errors.ts";
import { lastLines, quoteWords, type RunOptions, type RunResult } from "../../kernel/shell.ts";
import type { System } from "../system.ts";

/** Runs a program that has to succeed; its last lines go into the error when it does not. */
export async function mustRun(system: System, words: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await system.shell.run(words, options);
  if (result.code === 0) return result;
  throw mustHaveRun(words, result);
}

/** The error of a program that should have succeeded. */
export function mustHaveRun(words: readonly string[], result: RunResult): MillwrightError {
  return new MillwrightError("BOOTSTRAP_FAILED", `\`${quoteWords(words)}\` ended with status ${result.code ?? "unknown"}.`, {
    subject: words[0] ?? "",
    hint: "Run bootstrap again once the cause is gone: it goes on where it stopped.",
    details: lastLines(`${result.stdout}\n${result.stderr}`, 15),
  });
}
