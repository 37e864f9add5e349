import { MillwrightError } from "../kernel/errors.ts";
import type { CliContext } from "./context.ts";
import type { CommonOptions } from "./program.ts";

/** Asks before a change; `--yes` or MILLWRIGHT_YES=1 answers. Without a terminal and without either it refuses, naming the flag. */
export async function confirm(question: string, options: CommonOptions, context: CliContext): Promise<void> {
  if (options.yes === true || context.environment["MILLWRIGHT_YES"] === "1") return;
  if (!context.interactive)
    throw new MillwrightError("ANSWER_MISSING", `Not done: "${question}" needs a yes.`, { hint: "Add --yes, or run it in a terminal." });
  const { inquirerAsk } = await import("../wizard/inquirer-ask.ts");
  const yes = await inquirerAsk({ interactive: true, signal: context.signal }).confirm({
    key: "yes",
    flag: "--yes",
    message: question,
    explanation: "",
    default: false,
  });
  if (!yes) throw new MillwrightError("INTERRUPTED", "Nothing was changed.");
}
