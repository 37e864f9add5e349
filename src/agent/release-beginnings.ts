import * as z from "zod";
import type { JournalEntry } from "../kernel/journal.ts";
import type { Beginning } from "../recovery/beginning.ts";

const place = z.object({ release: z.string() });
const begunSchema = z.object({ kind: z.string(), swap: z.object({ to: place, from: place.optional() }) });

/** When releases began to serve on a host, by its journal; oldest first. A swap to the same release, for its settings, is none. Pure. */
export function releaseBeginnings(entries: readonly JournalEntry[]): readonly Beginning[] {
  const runs = new Map<string, JournalEntry[]>();
  for (const entry of entries) runs.set(entry.run, [...(runs.get(entry.run) ?? []), entry]);
  return [...runs].flatMap(([run, of]) => {
    const begun = begunSchema.safeParse(of.find((entry) => entry.kind === "run-begun")?.detail).data;
    const first = of.find((entry) => entry.kind === "begun" && leadsUsers(entry.step));
    if (begun === undefined || first === undefined || begun.swap.from?.release === begun.swap.to.release) return [];
    const isKept = of.some((entry) => entry.kind === "run-ended" && entry.detail["outcome"] === "done");
    return [{ release: begun.swap.to.release, run, at: first.at, isRollback: begun.kind === "rollback", isKept }];
  });
}

/** A canary leads the first of them. */
function leadsUsers(step: string): boolean {
  return step === "switch" || step.startsWith("canary-");
}
