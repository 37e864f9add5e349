import { stderr, stdin } from "node:process";
import { MillwrightError } from "../kernel/errors.ts";
import type { Ask } from "./ask.ts";

export interface InquirerAskOptions {
  /** Decided by the caller: terminal on both ends and no --no-input. A closed stdin looks to inquirer like Ctrl-C, and an open pipe hangs it. */
  readonly interactive: boolean;
  readonly signal: AbortSignal;
  readonly input?: NodeJS.ReadableStream;
  /** Standard error unless told otherwise: standard output is for the result. */
  readonly output?: NodeJS.WritableStream;
}

/** `Ask` on a terminal. */
export function inquirerAsk(options: InquirerAskOptions): Ask {
  const output = options.output ?? stderr;

  const ask = async (asked: { readonly key: string; readonly flag: string; readonly explanation: string }, question: object): Promise<unknown> => {
    if (!options.interactive) {
      throw new MillwrightError("ANSWER_MISSING", `"${asked.key}" has no answer and there is no terminal to ask on.`, {
        subject: asked.key,
        hint: `Pass ${asked.flag}.`,
      });
    }
    if (asked.explanation !== "") output.write(`\n  ${asked.explanation}\n`);
    const { createPromptModule } = await import("inquirer");
    const prompt = createPromptModule({ input: options.input ?? stdin, output, signal: options.signal });
    try {
      const answered: Record<string, unknown> = await prompt([{ ...question, name: "answer" } as never]);
      return answered["answer"];
    } catch (error) {
      // ExitPromptError is Ctrl-C; AbortPromptError is our own signal.
      if (error instanceof Error && (error.name === "ExitPromptError" || error.name === "AbortPromptError")) {
        throw new MillwrightError("INTERRUPTED", "Stopped at a question; nothing was changed.", { hint: "Run the command again to go on.", cause: error });
      }
      throw error;
    }
  };
  const withDefault = (value: unknown): object => (value === undefined ? {} : { default: value });
  const withValidate = (validate: unknown): object => (validate === undefined ? {} : { validate });

  return {
    interactive: options.interactive,
    input: async (q) => String(await ask(q, { type: "input", message: q.message, ...withDefault(q.default), ...withValidate(q.validate) })),
    number: async (q) => Number(await ask(q, { type: "number", message: q.message, required: true, ...withDefault(q.default), ...withValidate(q.validate) })),
    confirm: async (q) => (await ask(q, { type: "confirm", message: q.message, ...withDefault(q.default) })) === true,
    secret: async (q) => String(await ask(q, { type: "password", message: q.message, mask: false })),
    select: async (q) => String(await ask(q, { type: "select", message: q.message, choices: q.choices, ...withDefault(q.default) })),
  };
}
