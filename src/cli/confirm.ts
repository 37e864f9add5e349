import { MillwrightError } from "../kernel/errors.ts";
import type { InputQuestion } from "../wizard/ask.ts";
import type { CliContext } from "./context.ts";
import type { CommonOptions } from "./program.ts";

/** For what cannot be meant by mistake: the name is typed, or given with `--confirm`; `--yes` is not enough. */
export async function confirmByName(question: string, name: string, given: string | undefined, context: CliContext): Promise<void> {
  const asked = {
    key: "confirm",
    flag: `--confirm ${name}`,
    message: question,
    explanation: `Type ${name} to go on.`,
    missing: `Not done: "${question}" needs the name of the stack.`,
    hints: [`Add --confirm ${name}, or run it in a terminal.`, "Run the command again when you want it."],
  } as const;
  await confirmByWord(asked, name, given, context);
}

/** A host that does not answer cannot be fenced. Its address is to be typed: it is what has to be looked at, and another machine may be off as well. */
export async function confirmPoweredOff(address: string, given: string | undefined, context: CliContext): Promise<void> {
  const flag = `--powered-off ${address}`;
  const asked = {
    key: "poweredOff",
    flag,
    message: "Which host have you switched off?",
    explanation: `Type ${address} once you have seen that it is off.`,
    missing: `Not done: ${address} does not answer, and somebody must have switched it off.`,
    hints: [`Switch it off, then add ${flag}.`, "Run the command again when it is off."],
  } as const;
  await confirmByWord(asked, address, given, context);
}

interface AskedWord extends InputQuestion {
  /** What is said where nobody can be asked. */
  readonly missing: string;
  /** Without an answer, and after another word. */
  readonly hints: readonly [string, string];
}

async function confirmByWord({ missing, hints, ...question }: AskedWord, word: string, given: string | undefined, context: CliContext): Promise<void> {
  if (given === undefined && !context.interactive) throw new MillwrightError("ANSWER_MISSING", missing, { subject: word, hint: hints[0] });
  const typed = given ?? (await ask(question, context));
  if (typed !== word) throw new MillwrightError("INTERRUPTED", `Nothing was changed: "${typed}" is not ${word}.`, { hint: hints[1] });
}

async function ask(question: InputQuestion, context: CliContext): Promise<string> {
  const { inquirerAsk } = await import("../wizard/inquirer-ask.ts");
  return await inquirerAsk({ interactive: true, signal: context.signal }).input(question);
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
