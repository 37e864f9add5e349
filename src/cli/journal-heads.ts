import * as z from "zod";
import { timestamp } from "../kernel/clock.ts";
import { writeDurable } from "../kernel/durable-file.ts";
import { messageOf } from "../kernel/errors.ts";
import { readState } from "../kernel/read-state.ts";
import { findContradiction, type JournalNow, type SeenHead, seenHeadSchema, withHead } from "../observe/seen-heads.ts";
import { hostName } from "../site/standby.ts";
import type { CliContext } from "./context.ts";
import type { Target } from "./target.ts";

const fileSchema = z.strictObject({ version: z.literal(1), heads: z.record(z.string(), z.array(seenHeadSchema)) });

const HINT = "It is a memory of this machine only: move it away to begin anew.";

/** The heads of the environment's journal that this machine has seen, oldest first. */
export async function readSeenHeads({ site, environment }: Target): Promise<readonly SeenHead[]> {
  return (await readState(site.files.journalHeads, fileSchema, HINT))?.heads[hostName(environment)] ?? [];
}

export async function writeSeenHeads({ site, environment }: Target, heads: readonly SeenHead[]): Promise<void> {
  const before = await readState(site.files.journalHeads, fileSchema, HINT);
  const file = { version: 1, heads: { ...before?.heads, [hostName(environment)]: heads } };
  await writeDurable(site.files.journalHeads, `${JSON.stringify(file, undefined, 2)}\n`, { mode: 0o644 });
}

/**
 * Remembers the head that a look has shown and says, in words, if it contradicts an earlier one. A look must not fail because the site
 * folder cannot be written.
 */
export async function noteHead(target: Target, journal: { readonly entries: number; readonly head: string }, context: CliContext): Promise<string | undefined> {
  const seen = await readSeenHeads(target);
  const now: JournalNow = { entries: journal.entries, hashAt: (entry) => (entry === journal.entries ? journal.head : undefined) };
  const contradiction = findContradiction(seen, now);
  if (contradiction !== undefined) return `${contradiction}: run \`millwright history verify\`.`;
  if (journal.entries === 0) return undefined;
  const heads = withHead(seen, { entries: journal.entries, head: journal.head, at: timestamp(context.clock) }, false);
  if (heads === seen) return undefined;
  await writeSeenHeads(target, heads).catch((error: unknown) => context.output.warn(`The journal's head could not be remembered: ${messageOf(error)}`));
  return undefined;
}
