import { lockSchema } from "../../../../src/agent/run-lock.ts";
import { type JournalEntry, journalEntrySchema } from "../../../../src/kernel/journal.ts";
import { parseJson } from "../../../../src/kernel/parse-json.ts";
import type { Rest } from "../rest.ts";

/** A run that was cut off before its decision has gone back; after it, it went back only for a step that failed or a person who asked. */
export function decisionHolds({ machine, journal, plans }: Rest): readonly string[] {
  const wrong = machine.unit.starts.map(({ lock, journal: text }) => {
    const { run } = lockSchema.parse(JSON.parse(lock));
    const decision = plans.get(run)?.steps.find((step) => step.decision === true)?.id;
    const known = entriesOf(text).filter((entry) => entry.run === run && entry.step !== "");
    const isDecided = known.some((entry) => entry.step === decision && entry.kind === "done");
    const outcome = journal.find((entry) => entry.run === run && entry.kind === "run-ended")?.detail["outcome"];
    return known.length > 0 && decision !== undefined && !isDecided && outcome === "done"
      ? `run ${run} was cut off before its decision, and went forward`
      : undefined;
  });
  for (const [run, plan] of plans) {
    const entries = journal.filter((entry) => entry.run === run);
    const isUndone = entries.some((entry) => entry.kind === "run-ended" && entry.detail["outcome"] === "undone");
    const isDecided = entries.some((entry) => entry.kind === "done" && plan.steps.some((step) => step.decision === true && step.id === entry.step));
    const hasFailed = entries.some((entry) => entry.kind === "failed" && plan.steps.some((step) => step.failure === "undo" && step.id === entry.step));
    const wasAborted = machine.disk.find(`${machine.paths.run(run)}/abort`) !== undefined;
    if (isUndone && isDecided && !hasFailed && !wasAborted) wrong.push(`run ${run} went back after its decision, and nothing says why`);
  }
  return wrong.filter((text) => text !== undefined);
}

/** A line that is torn says nothing. */
function entriesOf(text: string): readonly JournalEntry[] {
  return text.split("\n").flatMap((line) => journalEntrySchema.safeParse(parseJson(line)).data ?? []);
}
