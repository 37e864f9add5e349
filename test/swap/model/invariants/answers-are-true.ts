import type { Answer } from "../operators.ts";
import type { Rest } from "../rest.ts";

/** What people were told is what the journal says, and whoever was refused has changed nothing. */
export function answersAreTrue(rest: Rest): readonly string[] {
  return rest.answers.flatMap((answer) => wrongAnswer(answer, rest).map((what) => `${answer.who}, ${JSON.stringify(answer.operation)}: ${what}`));
}

function wrongAnswer({ operation, error, result, changes }: Answer, { journal, machine }: Rest): readonly string[] {
  const endOf = (run: string): unknown => journal.find((entry) => entry.run === run && entry.kind === "run-ended")?.detail["outcome"];
  if (error?.code === "LOCK_HELD") {
    // A plan and the stack that it is for are kept before anyone asks for the lock.
    const changed = changes.find((path) => !/\/(state\/plans|stacks)\b/.test(path));
    const wrong = changed === undefined ? [] : [`was refused, and changed ${changed}`];
    // Somebody else is looking at the lock in this very moment.
    if (error.message.startsWith("Another command is starting or ending a run")) return wrong;
    const held = machine.locks.find(({ run }) => error.subject === `run ${run}`);
    if (held === undefined || error.message !== `${held.who} has been at it since ${held.since}: ${held.reason}.`)
      wrong.push(`was refused without who, since when and why: ${error.message}`);
    return wrong;
  }
  if (error !== undefined || result === undefined) return [];
  const { run, outcome } = result as { readonly run: string; readonly outcome: string };
  const expected = operation.do === "abort" ? "undone" : "done";
  if (outcome !== expected) return [`was told ${outcome}`];
  return endOf(run) === outcome ? [] : [`was told ${outcome}, but run ${run} is ${String(endOf(run))}`];
}
