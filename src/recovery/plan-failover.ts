import type { Colour } from "../blueprint/stack.ts";
import type { Plan } from "../kernel/plan.ts";
import type { BackupRecord } from "./backup-record.ts";
import { assemble, type Draft, type Head } from "./plan-recovery.ts";

interface FenceInput {
  /** The release that served. */
  readonly served?: string | undefined;
  /** Its database is, and it alone has the plant: then nothing needs to be lost, and nothing may be. */
  readonly isWell?: boolean;
  /** The host is fenced already, and left this sign of life then. */
  readonly isAgain?: boolean;
  readonly sign?: string | undefined;
}

/**
 * Ends the plant on this host, so that it can go on on its standby and nowhere else; cut off before the end it is started again, unless it was fenced
 * before. Pure.
 */
export function planFence(head: Head, colour: Colour | undefined, { served, isWell = false, isAgain = false, sign }: FenceInput = {}): Plan {
  const back = colour === undefined ? undefined : "start it again";
  const files: Draft = {
    kind: "hand-files",
    title: "Take the newest files to the offsite repository",
    cause: "the standby has them from there",
    ...(isWell ? {} : { failure: "report", once: true }),
  };
  const log: Draft = {
    kind: "hand-log",
    title: "See the database's log arrive in the offsite repository",
    cause: "for a standby that does not stream",
    failure: "report",
    once: true,
  };
  const first: Draft = { ...files, id: "hand-files:first", title: "Take the files up to now there", cause: "only the rest is left for when users wait" };
  const context = { kind: "fence", colour, served, isLifted: false, isAgain, sign } as const;
  return assemble(head, context, "Give the plant up: nothing of it runs on this host any more.", [
    ...(isWell && colour !== undefined ? [first] : []),
    ...(colour === undefined
      ? []
      : [{ kind: "away", title: "Users get the maintenance answer", cause: "what they write now would be lost", undo: "lead them to the release again" }]),
    { kind: "stop-odoo", title: "Stop Odoo", cause: "no more writes", ...(back === undefined ? {} : { undo: back }) },
    { kind: "last-sign", title: "Leave a last sign of life in the database", cause: "the standby must have it before it takes over" },
    // A host that was fenced before has handed them over, and writes nothing new.
    ...(isAgain && !isWell ? [] : [log, files]),
    {
      kind: "stop-database",
      title: "Stop the database",
      cause: "a standby that streams gets all of its log first",
      ...(back === undefined ? {} : { undo: back }),
    },
    { kind: "mark-fenced", title: "Stop the rest, and mark the host", cause: "neither a reboot nor the schedule may start it", decision: true },
  ]);
}

/** Starts what a fencing has ended, where it did not go on elsewhere: a database that did refuses to start. Pure. */
export function planLift(head: Head, colour: Colour | undefined, sign?: string): Plan {
  const odoo: readonly Draft[] = [
    { kind: "start-odoo", title: "Start Odoo", cause: "it served before", undo: "stop it" },
    { kind: "lead-users-back", title: "Lead users to it", cause: "it is the plant again", undo: "lead them away", decision: true },
  ];
  return assemble(head, { kind: "fence", colour, isLifted: true, isAgain: false, sign }, "Take the plant again that was given up and not taken over.", [
    { kind: "lift-fence", title: "Take the mark away, and start the platform", cause: "asked for", undo: "fence the host again" },
    {
      kind: "start-database",
      title: "See the database start",
      cause: "it does not when another host was promoted",
      undo: "stop it",
      ...(colour === undefined ? { decision: true } : {}),
    },
    ...(colour === undefined ? [] : odoo),
  ]);
}

/**
 * The database of a standby becomes one of its own; the platform and a release are brought up on it afterwards. Cut off, it goes on: nothing of it can be
 * taken back, and nothing before the end of it does any harm. Pure.
 */
export function planTakeover(
  head: Head,
  options: { readonly backup?: BackupRecord | undefined; readonly sign?: string | undefined; readonly isBegun?: boolean },
): Plan {
  const { backup, sign, isBegun = false } = options;
  const cause = sign === undefined ? "what did not is lost" : `up to the host's last sign of life, ${sign}`;
  // A host that left a sign of life has handed its files over as well: nothing of them may be lost. A takeover that promotes has fetched them before.
  const files = sign === undefined || isBegun ? ({ failure: "report", once: true } as const) : {};
  const release: Draft = {
    kind: "release-image",
    title: `See that release ${String(backup?.release.id)} is here`,
    cause: "out of the last backup, if it is not",
    failure: "report",
    once: true,
  };
  return assemble(head, { kind: "takeover", from: "offsite", backup, sign, isBegun }, "Make the standby's database the plant's.", [
    { kind: "catch-up", title: "Replay all of the log that came over", cause, decision: true },
    ...(backup === undefined ? [] : [release]),
    { kind: "newest-files", title: "Fetch the newest files", cause: "after the database's last moment", ...files },
    { kind: "promote", title: "Promote the database", cause: "from here on there is no way back" },
    { kind: "opened", title: "See it take writes", cause: "it ends its recovery first" },
    { kind: "checkpoint", title: "Write a checkpoint", cause: "what starts it later finds the line of its log there", failure: "report", once: true },
  ]);
}
