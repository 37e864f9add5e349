import { MillwrightError } from "../kernel/errors.ts";
import type { CliContext } from "./context.ts";
import type { CommonOptions } from "./program.ts";

/** For what cannot be meant by mistake: the name is typed, or given with `--confirm`; `--yes` is not enough. */
export async function confirmByName(question: string, name: string, given: string | undefined, context: CliContext): Promise<void> {
  if (given === undefined && !context.interactive)
    throw new MillwrightError("ANSWER_MISSING", `Not done: "${question}" needs the name of the stack.`, {
      hint: `Add --confirm ${name}, or run it in a terminal.`,
    });
  const typed = given ?? (await askName(question, name, context));
  if (typed !== name)
    throw new MillwrightError("INTERRUPTED", `Nothing was changed: "${typed}" is not ${name}.`, { hint: "Run the command again when you want it." });
}

async function askName(question: string, name: string, context: CliContext): Promise<string> {
  const { inquirerAsk } = await import("../wizard/inquirer-ask.ts");
  return await inquirerAsk({ interactive: true, signal: context.signal }).input({
    key: "confirm",
    flag: `--confirm ${name}`,
    message: question,
    explanation: `Type ${name} to go on.`,
  });
}

/** Whether the answer was given before the question: to this plan and to any other. */
export function isAgreedTo(options: CommonOptions, context: CliContext): boolean {
  return options.yes === true || context.environment["MILLWRIGHT_YES"] === "1";
}

/** Asks before a change; `--yes` or MILLWRIGHT_YES=1 answers. Without a terminal and without either it refuses, naming the flag. */
export async function confirm(question: string, options: CommonOptions, context: CliContext): Promise<void> {
  if (isAgreedTo(options, context)) return;
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
  if (!yes) throw new MillwrightError("INTERRUPTED", "Nothing was changed.", { hint: "Run the command again when you want it." });
}
