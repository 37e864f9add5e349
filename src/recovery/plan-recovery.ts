import * as z from "zod";
import { type Plan, planSchema } from "../kernel/plan.ts";
import { type Colour, colourSchema } from "../blueprint/stack.ts";
import { type BackupRecord, backupRecordSchema } from "./backup-record.ts";
import type { BackupType, RestoreTarget } from "./database-archive.ts";
import { POINT_NAME } from "./point-record.ts";
import { type Place, placeSchema } from "./repositories.ts";

/** Whose backups are read. */
const fromSchema = placeSchema.default("local");
const releaseSchema = z.object({ id: z.string(), image: z.string() });

/** As the database tells the time of a heartbeat: to the microsecond. */
export const signOfLife = z.iso.datetime({ precision: 6 });

const targetSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("latest") }),
  z.object({ kind: z.literal("time"), at: z.string() }),
  z.object({ kind: z.literal("backup"), label: z.string() }),
]) satisfies z.ZodType<RestoreTarget>;

/** What the steps of one run share; kept in the plan, so that a run that was cut off finds it again. */
export const recoveryContextSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("backup"),
    type: z.enum(["full", "diff", "incr"]),
    release: releaseSchema,
    /** Why the clock that it is due by is hardly right: then none is made. */
    doubt: z.string().optional(),
  }),
  z.object({ kind: z.literal("point"), name: z.string().regex(POINT_NAME), release: releaseSchema }),
  z.object({
    kind: z.literal("verify"),
    wholeFiles: z.boolean(),
    /** Of the files' repository, when not all of it is read. */
    quarter: z.int().min(1).max(4),
    /** When the next backup is due, ISO 8601, for which it makes way. */
    until: z.string(),
    from: fromSchema,
  }),
  z.object({
    kind: z.literal("drill"),
    from: fromSchema,
    release: releaseSchema,
    /** The backup that is proven. */
    backup: backupRecordSchema,
    target: targetSchema,
  }),
  z.object({
    kind: z.literal("restore"),
    from: fromSchema,
    release: releaseSchema,
    /** Where the release serves that is started on what was restored; absent on a host where none serves yet. */
    colour: colourSchema.optional(),
    backup: backupRecordSchema,
    target: targetSchema,
    /** The release that users were on then, where that is not the one that serves. */
    servedThen: z.string().optional(),
    /** It stays in the scratch place, and the plant is not touched. */
    isBeside: z.boolean(),
  }),
  /** The host gives its plant up to its standby, or takes it again when that could not have it. */
  z.object({
    kind: z.literal("fence"),
    colour: colourSchema.optional(),
    served: z.string().optional(),
    isLifted: z.boolean().default(false),
    /** It was fenced already when this was planned: taken back, it stays so. */
    isAgain: z.boolean().default(false),
    /** The last sign of life that was kept then. */
    sign: signOfLife.optional(),
  }),
  /** The standby becomes the host. */
  z.object({
    kind: z.literal("takeover"),
    from: z.literal("offsite"),
    /** The newest backup there; absent when the repository does not answer. */
    backup: backupRecordSchema.optional(),
    /** The host's last sign of life, when it could be fenced: ISO 8601, UTC. */
    sign: signOfLife.optional(),
    /** An earlier takeover has begun the promotion, or ended it. */
    isBegun: z.boolean().default(false),
  }),
]);

export type RecoveryContext = z.infer<typeof recoveryContextSchema>;

export interface Head {
  readonly id: string;
  readonly stack: string;
  readonly basis: string;
}

export type Draft = Pick<Plan["steps"][number], "title" | "cause"> & Partial<Omit<Plan["steps"][number], "kind">> & { readonly kind: string };

const WHERE: Readonly<Record<Place, string>> = { local: "repositories", offsite: "offsite repositories" };

const TYPE_WORDS: Readonly<Record<BackupType, string>> = {
  full: "everything",
  diff: "what has changed since the last full backup",
  incr: "what has changed since the last backup",
};

/** Only then the offsite repository is written: what keeps it from that is told, and the backup on the host stands. */
const OFFSITE: readonly Draft[] = [
  {
    kind: "database:offsite",
    title: "Back up the database to the offsite repository",
    cause: "backup.offsite: what ends the host must not end its backups",
    failure: "report",
    once: true,
  },
  { kind: "files:offsite", title: "Take a snapshot of the files there", cause: "after the database's", failure: "report", once: true },
  {
    kind: "host:offsite",
    title: "Take a snapshot of what the host itself needs there",
    cause: "to build it again from nothing",
    failure: "report",
    once: true,
  },
  { kind: "record:offsite", title: "Write down that the backup is there, too", cause: "all of it is", failure: "report" },
  { kind: "forget:offsite", title: "Drop what is older there than the site keeps", cause: "backup.offsite.keep", failure: "report", once: true },
];

/** A backup of database and files. Cut off, it goes on: nothing of it has to be undone. Pure. */
export function planBackup(
  head: Head,
  options: {
    readonly type: BackupType;
    readonly release: { readonly id: string; readonly image: string };
    readonly cause: string;
    readonly hasOffsite: boolean;
    readonly doubt?: string | undefined;
  },
): Plan {
  const { type, release, cause, hasOffsite, doubt } = options;
  return assemble(head, { kind: "backup", type, release, doubt }, `Back up database and files (${type}): ${cause}.`, [
    {
      kind: "archive",
      title: "See the database's log arrive in the repository",
      cause: "a backup without the log after it cannot be restored",
      decision: true,
    },
    { kind: "count", title: "Count what the database holds", cause: "a restored one is held against that" },
    { kind: "database", title: `Back up the database: ${TYPE_WORDS[type]}`, cause },
    { kind: "files", title: "Take a snapshot of the files", cause: "after the database: files are written before the rows that name them" },
    { kind: "host", title: "Take a snapshot of what the host itself needs", cause: "to build it again from nothing" },
    { kind: "gaps", title: "Look for holes in the archived log", cause: "pgBackRest's own checks do not see them" },
    { kind: "record", title: "Write down the backup", cause: "all of it is there" },
    { kind: "forget", title: "Drop what is older than the site keeps", cause: "backup.keep", failure: "report" },
    ...(hasOffsite ? OFFSITE : []),
  ]);
}

/** Gives this moment a name, and sees to it that it can be restored. Pure. */
export function planPoint(head: Head, options: { readonly name: string; readonly release: { readonly id: string; readonly image: string } }): Plan {
  return assemble(head, { kind: "point", ...options }, `Call this moment ${options.name}, to come back to.`, [
    { kind: "mark", title: "Take the time of the database's log", cause: "what was written before is in it" },
    { kind: "archive", title: "See the database's log arrive in the repository", cause: "a restore goes through it to the moment", decision: true },
    { kind: "files", title: "Take a snapshot of the files", cause: "those of the moment" },
    { kind: "record-point", title: `Write down ${options.name}`, cause: "all of it is there" },
  ]);
}

/** Reads the repositories. Pure. */
export function planVerify(head: Head, options: Omit<Extract<RecoveryContext, { kind: "verify" }>, "kind">): Plan {
  const { wholeFiles, quarter, from } = options;
  return assemble(head, { kind: "verify", ...options }, `Verify the backups in the ${WHERE[from]}.`, [
    { kind: "archive", title: "See the database's log arrive in the repository", cause: "what is new must be safe as well", decision: true },
    { kind: "gaps", title: "Look for holes in the archived log", cause: "pgBackRest's own checks do not see them" },
    { kind: "verify-database", title: "Read every backup of the database", cause: "damage shows only when it is read" },
    {
      kind: "verify-files",
      title: `Read ${wholeFiles ? "all" : `quarter ${quarter}`} of the files' repository`,
      cause: wholeFiles ? "asked for" : "all of it in four verifications",
    },
    { kind: "record-verify", title: "Write down that they are good", cause: "the next one goes on from there" },
  ]);
}

/** A restore into a scratch place without any network, looked at from all sides, and removed again; cut off, it is removed at once. Pure. */
export function planDrill(
  head: Head,
  options: {
    readonly from: Place;
    readonly release: { readonly id: string; readonly image: string };
    readonly backup: BackupRecord;
    readonly target: RestoreTarget;
  },
): Plan {
  const whence = options.from === "offsite" ? " from the offsite repository" : "";
  return assemble(head, { kind: "drill", ...options }, `Prove backup ${options.backup.id} by restoring it${whence} to a scratch place.`, [
    { kind: "clear", title: "Make the scratch place empty", cause: "nothing of an earlier one may help", undo: "remove what was restored" },
    { kind: "restore-database", title: "Restore the database and replay its log", cause: "to the end of the archive" },
    { kind: "open", title: "Wait until the restored database is open", cause: "a server that starts may still fail in its recovery" },
    { kind: "restore-files", title: "Restore the files", cause: "snapshots up to now: after the database, which goes to the end of the archive" },
    { kind: "check-database", title: "Check every page and index, and count its rows", cause: "against what was counted at the backup" },
    { kind: "check-files", title: "Check every attachment: present, size, SHA-1", cause: "all of them" },
    { kind: "login", title: `Start release ${options.release.id} on it and log in`, cause: "that is what it is for", decision: true },
    { kind: "clear-up", title: "Remove the scratch place", cause: "it is production data", failure: "report" },
    { kind: "record-drill", title: "Write down what was measured", cause: "RPO and RTO" },
  ]);
}

export interface RestoreInput {
  readonly from: Place;
  readonly release: { readonly id: string; readonly image: string };
  readonly colour: Colour | undefined;
  readonly backup: BackupRecord;
  readonly target: RestoreTarget;
  readonly servedThen?: string | undefined;
  readonly isBeside: boolean;
}

/**
 * Restored and checked beside the plant, which goes on serving; only then the two are exchanged. On a host where no release serves yet there are no
 * users to mind, and the release's image comes out of the backup as well. Pure.
 */
export function planRestore(head: Head, input: RestoreInput): Plan {
  const { target, colour, servedThen, isBeside } = input;
  const isNew = colour === undefined;
  const before: readonly Draft[] = isNew
    ? [{ kind: "release-image", title: `Take the image of release ${input.release.id} out of the backup`, cause: "this host has none yet" }]
    : [{ kind: "archive-now", title: "Bring the database's log and the files up to now into the repositories", cause: "the moment may be one of just now" }];
  const beside: readonly Draft[] = [
    { kind: "clear", title: "Make the scratch place empty", cause: "nothing of an earlier restore may be left", undo: "remove what was restored" },
    ...before,
    { kind: "restore-database", title: "Restore the database and replay its log", cause: `to ${describeTarget(target)}` },
    { kind: "open", title: "Wait until the restored database is open", cause: "a server that starts may still fail in its recovery" },
    { kind: "restore-files", title: "Restore the files", cause: "those of that moment" },
    { kind: "check-database", title: "Check every page and index, and count its rows", cause: "a bad backup must not take the plant's place" },
    {
      kind: "check-files",
      title: "Check every attachment: present, size, SHA-1",
      cause: "all of them",
      ...(isBeside ? { decision: true } : {}),
    },
  ];
  const odoo = isNew ? "the database" : `Odoo on ${colour} and the database`;
  const away: Draft = {
    kind: "away",
    title: "Users get the maintenance answer",
    cause: "what they write now would be lost",
    undo: "lead them to the release again",
  };
  const cron: Draft = { kind: "cron", title: `Start the scheduled jobs of ${colour ?? ""}`, cause: "the release is whole", failure: "report" };
  const known: Draft = {
    kind: "record-known",
    title: "Write down the backups that the repository tells of",
    cause: "this host has made none",
    failure: "report",
  };
  const look: Draft = {
    kind: "look",
    title: `See how ${input.release.id} does now`,
    cause: `what fails already does not count against what is restored, which is of ${servedThen ?? ""}`,
  };
  const into: readonly Draft[] = [
    ...(servedThen === undefined || isNew ? [] : [look]),
    {
      kind: "close",
      title: "Stop the restored database, and its archiving for now",
      cause: "its folder is about to move; taken back, its log must not be in the archive",
    },
    ...(isNew ? [] : [away]),
    { kind: "stop", title: `Stop ${odoo}`, cause: "nothing may use the folders", undo: "start them again" },
    { kind: "exchange", title: "Put what was restored in the place of what is there", cause: "which is kept as a restore point", undo: "exchange them back" },
    {
      kind: "start",
      title: `Start ${odoo}`,
      cause: servedThen === undefined ? "on what was restored" : `on what was restored, of ${servedThen}: it must pass all its probes`,
      undo: "stop them",
    },
    { kind: "lead-back", title: isNew ? "Keep it" : "Lead users to the release again", cause: "it answers", decision: true },
    { kind: "archive-on", title: "Let the database archive its log again", cause: "from here on it is the plant's", failure: "report" },
    isNew ? known : cron,
    { kind: "clear-after", title: "Remove the scratch place, and older restore points", cause: "the one of this run is kept", failure: "report" },
    { kind: "full", title: "Back up everything, and write it down", cause: "the log goes on from here on a line of its own", failure: "report", once: true },
  ];
  const purpose = `Restore database and files to ${describeTarget(target)}${input.from === "offsite" ? ", from the offsite repository" : ""}${isBeside ? ", beside the plant" : ""}.`;
  return assemble(head, { kind: "restore", ...input }, purpose, isBeside ? beside : [...beside, ...into]);
}

export function describeTarget(target: RestoreTarget): string {
  switch (target.kind) {
    case "latest":
      return "the end of the archived log";
    case "time":
      return target.at;
    case "backup":
      return `the end of backup ${target.label}`;
  }
}

/** The plan of a run of this room. Pure. */
export function assemble(head: Head, context: RecoveryContext, purpose: string, drafts: readonly Draft[]): Plan {
  const steps = drafts.map((draft) => ({ id: draft.kind, ...draft }));
  return planSchema.parse({ version: 1, ...head, kind: context.kind, purpose, steps, context });
}
