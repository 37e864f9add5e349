import { MillwrightError } from "../../src/kernel/errors.ts";
import type { Ask } from "../../src/wizard/ask.ts";

export interface FakeAsk extends Ask {
  /** Keys in the order they were asked. */
  readonly asked: string[];
}

/** Answers by key, else with the proposal; the key in `stopAt` is where the person presses Ctrl-C. */
export function fakeAsk(answers: Readonly<Record<string, unknown>>, stopAt?: string): FakeAsk {
  const asked: string[] = [];
  const answer = (question: { readonly key: string; readonly default?: unknown; readonly validate?: (value: never) => true | string }): unknown => {
    if (question.key === stopAt) throw new MillwrightError("INTERRUPTED", "Stopped.");
    asked.push(question.key);
    const given = answers[question.key];
    const value = Array.isArray(given) ? (given as unknown[]).shift() : (given ?? question.default);
    if (value === undefined) throw new Error(`the test has no answer for "${question.key}"`);
    const judged = question.validate?.(value as never) ?? true;
    if (judged !== true) throw new Error(`"${question.key}": ${judged}`);
    return value;
  };
  return {
    asked,
    interactive: true,
    input: async (question) => String(answer(question)),
    number: async (question) => Number(answer(question)),
    confirm: async (question) => answer(question) === true,
    select: async (question) => String(answer(question)),
    secret: async (question) => String(answer(question)),
  };
}
