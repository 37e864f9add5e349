import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { randomSecretNames } from "../../blueprint/secret-names.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import { parse } from "yaml";
import { readAnswers } from "../../wizard/answers.ts";
import { describeQuestions } from "../../wizard/describe-questions.ts";
import { inquirerAsk } from "../../wizard/inquirer-ask.ts";
import { newSite } from "../../wizard/new-site.ts";
import { identityFile } from "../own-identity.ts";
import type { Run } from "../program.ts";
import { odooBlueprint } from "../rendered-stack.ts";
import { table } from "../table.ts";

interface Options {
  readonly dir?: string;
  readonly answers?: string;
  readonly set?: readonly string[];
  readonly list?: boolean;
}

export const newCommand: Run<Options> = async (options, context) => {
  if (options.list === true) {
    const questions = describeQuestions();
    const rows = questions.map(({ key, takes, assumed, explanation }) => [key, takes, assumed, explanation]);
    return { data: { questions }, text: table(["key", "takes", "assumed", "what it is"], rows) };
  }
  const directory = resolve(context.directory, options.dir ?? options.site ?? ".");
  const file = options.answers === undefined ? undefined : await readAnswersFile(resolve(context.directory, options.answers));
  const blueprint = odooBlueprint();
  const made = await newSite({
    directory,
    from: context.directory,
    given: readAnswers(file, options.set ?? []),
    ask: inquirerAsk({ interactive: context.interactive, signal: context.signal }),
    say: (line) => context.output.say(line),
    identityFile: identityFile(context),
    operator: context.user,
    secretNames: (environment) => randomSecretNames(environment, blueprint),
    clock: context.clock,
  });
  return { data: made, text: [`${made.name} is in ${made.directory}, with ${made.environments.join(" and ")}.`, ...made.next].join("\n") };
};

async function readAnswersFile(path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new MillwrightError("ANSWERS_INVALID", "The answers file cannot be read as YAML or JSON.", {
      subject: path,
      hint: "millwright new --list tells its keys.",
      cause,
    });
  }
}
