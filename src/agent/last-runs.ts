import type { JournalEntry } from "../kernel/journal.ts";

export interface RunSummary {
  readonly run: string;
  /** `deploy`, `swap` or `rollback`. */
  readonly kind: string;
  readonly purpose: string;
  readonly who: string;
  readonly began: string;
  readonly ended?: string;
  /** `open`: not ended, under way or cut off. `failed`: an undo failed and a person is needed. */
  readonly outcome: "done" | "undone" | "failed" | "open";
  readonly summary?: string;
  /** Each step with the last thing the journal says of it. */
  readonly steps: readonly { readonly id: string; readonly state: JournalEntry["kind"]; readonly at: string }[];
}

/** A stack's runs as its journal tells them, newest first. */
export function lastRuns(entries: readonly JournalEntry[], limit: number): readonly RunSummary[] {
  const runs = new Map<string, JournalEntry[]>();
  for (const entry of entries) runs.set(entry.run, [...(runs.get(entry.run) ?? []), entry]);
  return [...runs.entries()]
    .slice(-limit)
    .map(([run, of]) => summarise(run, of))
    .reverse();
}

function summarise(run: string, entries: readonly JournalEntry[]): RunSummary {
  const begun = entries.find((entry) => entry.kind === "run-begun");
  const end = entries.find((entry) => entry.kind === "run-ended");
  const steps = new Map<string, { id: string; state: JournalEntry["kind"]; at: string }>();
  for (const entry of entries) if (entry.step !== "") steps.set(entry.step, { id: entry.step, state: entry.kind, at: entry.at });
  return {
    run,
    kind: textOf(begun, "kind"),
    purpose: textOf(begun, "purpose"),
    who: entries[0]?.who ?? "",
    began: entries[0]?.at ?? "",
    ...(end === undefined ? {} : { ended: end.at, summary: textOf(end, "summary") }),
    outcome: outcomeOf(entries, end),
    steps: [...steps.values()],
  };
}

function outcomeOf(entries: readonly JournalEntry[], end: JournalEntry | undefined): RunSummary["outcome"] {
  const outcome = end?.detail["outcome"];
  if (outcome === "done" || outcome === "undone") return outcome;
  const last = entries.at(-1);
  return last?.kind === "undo-failed" && last.detail["againInSeconds"] === undefined ? "failed" : "open";
}

function textOf(entry: JournalEntry | undefined, key: string): string {
  const value = entry?.detail[key];
  return typeof value === "string" ? value : "";
}
