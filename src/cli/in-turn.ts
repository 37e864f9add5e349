import type { CommandResult, Output } from "./output.ts";

/** A command as a part of another; it gets what the one before it gave. */
type Part = readonly [name: string, run: (before: unknown) => Promise<CommandResult>];

/** Runs commands one after the other. What each says is shown when it has ended, but for the last, whose text is that of the whole. */
export async function inTurn(output: Pick<Output, "say">, parts: readonly Part[]): Promise<{ readonly data: Record<string, unknown>; readonly text: string }> {
  const data: Record<string, unknown> = {};
  let last: CommandResult | undefined;
  for (const [name, run] of parts) {
    if (last !== undefined) output.say(last.text);
    output.say(`\n${name}`);
    last = await run(last?.data);
    data[name] = last.data;
  }
  return { data, text: last?.text ?? "" };
}
