import * as z from "zod";

/** A head of a host's journal as the operator's machine saw it: from then on, an entry of the chain for ever. */
export const seenHeadSchema = z.strictObject({ entries: z.number().int().positive(), head: z.string(), at: z.string() });

export type SeenHead = z.infer<typeof seenHeadSchema>;

/** What the host says of its journal now. */
export interface JournalNow {
  readonly entries: number;
  /** Hash of an entry by its number; undefined when it was not looked at. */
  readonly hashAt: (entry: number) => string | undefined;
}

/** Looks without a verification in between that are kept; the oldest pins the most. */
const KEPT = 100;

/**
 * What of the heads that were seen earlier the journal contradicts, in words; undefined when it contradicts none. A chain that was
 * written anew is whole in itself: only this shows it.
 */
export function findContradiction(seen: readonly SeenHead[], journal: JournalNow): string | undefined {
  for (const { entries, head, at } of seen) {
    if (entries > journal.entries) {
      const missing = entries === journal.entries + 1 ? `entry ${entries} is` : `entries ${journal.entries + 1} to ${entries} are`;
      return `The journal has ${journal.entries} entries, and had ${entries} at ${at}: ${missing} missing`;
    }
    const now = journal.hashAt(entries);
    if (now !== undefined && now !== head) return `Entry ${entries} of the journal is not the one that this machine saw at ${at}: history was written anew`;
  }
  return undefined;
}

/** The heads to keep after a look. Once a whole chain was found to hold them all, its head alone pins them. */
export function withHead(seen: readonly SeenHead[], now: SeenHead, isVerified: boolean): readonly SeenHead[] {
  if (isVerified) return [now];
  if (seen.some(({ entries, head }) => entries === now.entries && head === now.head)) return seen;
  const [oldest, ...rest] = seen;
  return oldest === undefined ? [now] : [oldest, ...rest.slice(2 - KEPT), now];
}
