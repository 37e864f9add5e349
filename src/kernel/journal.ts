import * as z from "zod";

/** One line of the host's journal: JSON, with the hash of the line before, fsynced before the next step begins. */
export const journalEntrySchema = z.object({
  seq: z.number().int(),
  at: z.string(),
  run: z.string(),
  who: z.string(),
  kind: z.enum(["run-begun", "begun", "done", "failed", "undoing", "undone", "undo-failed", "run-ended", "repaired"]),
  /** Step id; empty for the run's own entries and for `repaired`, which says that a line torn by a crash was cut off. */
  step: z.string(),
  detail: z.record(z.string(), z.unknown()),
  previous: z.string(),
  hash: z.string(),
});

export type JournalEntry = z.infer<typeof journalEntrySchema>;

/** The journal as a run uses it. `append` returns after the line is on the disk. */
export interface Journal {
  append(entry: Pick<JournalEntry, "kind" | "step" | "detail">): Promise<void>;
  /** This run's entries so far, oldest first. */
  entries(): Promise<readonly JournalEntry[]>;
}
