import { hashOf } from "../kernel/canonical.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { type Plan, planId } from "../kernel/plan.ts";
import { refuseOnStandby } from "../swap/refuse-on-standby.ts";
import { readServing, type Serving } from "../swap/serving.ts";
import { type BackupRecord, readBackupRecords } from "./backup-record.ts";
import type { RestoreTarget } from "./database-archive.ts";
import { nextTimes, typeOf } from "./due.ts";
import { isFenced } from "./fenced.ts";
import { knownBackups } from "./known-backups.ts";
import { planBackup, planDrill, planPoint, planRestore, planVerify } from "./plan-recovery.ts";
import { releaseAt, upgradeTo } from "./beginning.ts";
import { readPoint } from "./point-record.ts";
import { prepareFence, prepareTakeover } from "./prepare-failover.ts";
import { backupsAt } from "./backup-place.ts";
import type { RecoveryDeps } from "./recovery-deps.ts";
import { isArchivingHeld } from "./ready-archive.ts";
import { type Place, repositoriesAt } from "./repositories.ts";
import { readVerifyRecord } from "./verify-record.ts";

export type RecoveryRequest =
  | { readonly kind: "backup"; readonly full: boolean; readonly bySchedule: boolean; readonly doubt?: string | undefined }
  | { readonly kind: "point"; readonly name: string }
  | { readonly kind: "verify"; readonly wholeFiles: boolean; readonly from: Place }
  | { readonly kind: "drill"; readonly from: Place }
  /** `mustEnd`: another host serves the plant, so nothing of this one is waited for. */
  | { readonly kind: "fence"; readonly lift: boolean; readonly mustEnd?: boolean }
  | { readonly kind: "takeover"; readonly sign?: string | undefined }
  | { readonly kind: "restore"; readonly from: Place; readonly to: RestoreMoment; readonly isBeside: boolean };

/** What a person can ask a restore for. */
export type RestoreMoment =
  | { readonly kind: "now" }
  /** ISO 8601 with its zone. */
  | { readonly kind: "time"; readonly at: string }
  /** Id of a backup. */
  | { readonly kind: "backup"; readonly id: string }
  /** A moment that was given a name, and the one before an upgrade led users to a release. */
  | { readonly kind: "point"; readonly name: string }
  | { readonly kind: "release"; readonly id: string };

/** As the host knows it, with what it is for people. */
export type KnownMoment = Extract<RestoreMoment, { kind: "now" | "time" | "backup" }> & { readonly what?: string };

export interface PreparedRecovery {
  readonly plan: Plan;
  readonly notes: readonly string[];
}

/** Looks at the host and plans what was asked for. Changes nothing. */
export async function prepareRecovery(deps: RecoveryDeps, request: RecoveryRequest): Promise<PreparedRecovery> {
  if (request.kind !== "takeover") refuseOnStandby(deps.stack.facts);
  const serving = await readServing(deps.paths);
  const head = { id: planId(deps.clock, request.kind), stack: deps.stack.facts.stack, basis: basisOf(deps, serving) };
  if (request.kind === "restore") return await prepareRestore(deps, head, serving, request);
  if (request.kind === "takeover") return await prepareTakeover(deps, head, request.sign);
  if (request.kind === "fence") return await prepareFence(deps, head, serving, request);
  if (serving === undefined) throw nothingServes();
  switch (request.kind) {
    case "backup": {
      const release = { id: serving.release, image: serving.image };
      const { doubt } = request;
      return { plan: planBackup(head, { release, hasOffsite: deps.offsite !== undefined, doubt, ...(await nextType(deps, request)) }), notes: [] };
    }
    case "point": {
      await requireBackup(deps, "local");
      const known = await readPoint(deps.paths, request.name);
      if (known !== undefined)
        throw new MillwrightError("POINT_EXISTS", `There is a point ${request.name} already, of ${known.at}.`, { subject: request.name });
      return { plan: planPoint(head, { name: request.name, release: { id: serving.release, image: serving.image } }), notes: [] };
    }
    case "verify":
      await requireBackup(deps, request.from);
      return {
        plan: planVerify(head, {
          wholeFiles: request.wholeFiles,
          from: request.from,
          quarter: await nextQuarter(deps, request.from),
          until: nextTimes(deps.stack.facts.backup, deps.clock.now()).backup,
        }),
        notes: [],
      };
    case "drill": {
      const { from } = request;
      const backup = await requireBackup(deps, from);
      const release = { id: serving.release, image: serving.image };
      return { plan: planDrill(head, { from, release, backup, target: { kind: "latest" } }), notes: [] };
    }
  }
}

async function prepareRestore(
  deps: RecoveryDeps,
  head: Parameters<typeof planRestore>[0],
  serving: Serving | undefined,
  { from, to, isBeside }: Extract<RecoveryRequest, { kind: "restore" }>,
): Promise<PreparedRecovery> {
  await refuseWhenFenced(deps);
  const moment = await findMoment(deps, to);
  const { backup, target } = chooseRestore(await knownBackups(deps, from), moment, deps.clock.now());
  const release = serving === undefined ? backup.release : { id: serving.release, image: serving.image };
  const then = await releaseThen(deps, backup, target, release.id);
  const servedThen = then === release.id ? undefined : then;
  const plan = planRestore(head, { from, release, colour: serving?.colour, backup, target, servedThen, isBeside });
  const notes = [...(moment.what === undefined ? [] : [moment.what]), ...restoreNotes(serving, { backup, servedThen, isBeside })];
  return { plan, notes };
}

/** What is restored would be started, and its log go on in the repositories, where another host may serve the plant. */
async function refuseWhenFenced({ paths, stack }: RecoveryDeps): Promise<void> {
  if (!(await isFenced(paths))) return;
  throw new MillwrightError("STANDBY_ROLE", "This host gave its plant up to another, which may serve it now, so nothing is restored here.", {
    subject: stack.facts.stack,
    hint: "Restore on the host that serves, which `host` in site.yaml must name. If no other was promoted: `millwright host fence --lift`, then restore.",
  });
}

/** The release that users were on at a moment; at the end of the log, the one that serves. */
async function releaseThen(deps: RecoveryDeps, backup: BackupRecord, target: RestoreTarget, serving: string): Promise<string> {
  switch (target.kind) {
    case "latest":
      return serving;
    case "backup":
      return backup.release.id;
    case "time":
      return releaseAt(await beginningsOrNone(deps), target.at) ?? backup.release.id;
  }
}

/** A journal that does not hold together must keep nobody from restoring. */
async function beginningsOrNone(deps: RecoveryDeps): ReturnType<RecoveryDeps["beginnings"]> {
  try {
    return await deps.beginnings();
  } catch (error) {
    if (error instanceof MillwrightError && error.code === "JOURNAL_BROKEN") return [];
    throw error;
  }
}

async function findMoment(deps: RecoveryDeps, to: RestoreMoment): Promise<KnownMoment> {
  switch (to.kind) {
    case "point": {
      const point = await readPoint(deps.paths, to.name);
      if (point === undefined) throw new MillwrightError("BACKUP_NOT_FOUND", `There is no point ${to.name}.`, { subject: to.name });
      return { kind: "time", at: point.at, what: `point ${to.name} is ${point.at}, marked by ${point.who}` };
    }
    case "release": {
      const { at, run } = upgradeTo(await deps.beginnings(), to.id);
      return { kind: "time", at, what: `the moment before release ${to.id} began to serve is ${at}, by run ${run}` };
    }
    case "now":
    case "time":
    case "backup":
      return to;
  }
}

/**
 * The backup that a moment is restored from, and what its restore aims at. A moment before the end of the first backup cannot be had, nor one
 * that is to come. Pure.
 */
export function chooseRestore(
  records: readonly BackupRecord[],
  to: KnownMoment,
  now: number,
): { readonly backup: BackupRecord; readonly target: RestoreTarget } {
  const newest = records.at(-1);
  if (newest === undefined) throw new MillwrightError("BACKUP_NOT_FOUND", "There is no backup yet.", { hint: "Make one: `millwright backup run`." });
  switch (to.kind) {
    case "now":
      return { backup: newest, target: { kind: "latest" } };
    case "backup": {
      const backup = records.find(({ id }) => id === to.id);
      if (backup === undefined) throw new MillwrightError("BACKUP_NOT_FOUND", `There is no backup ${to.id}.`, { subject: to.id });
      return { backup, target: { kind: "backup", label: backup.database.label } };
    }
    case "time": {
      const instant = Date.parse(to.at);
      if (instant > now)
        throw new MillwrightError("BACKUP_NOT_FOUND", `${to.at} is yet to come.`, { subject: to.at, hint: "To the end of what is archived: `--to now`." });
      const backup = records.findLast(({ ended }) => Date.parse(ended) <= instant);
      if (backup === undefined) {
        throw new MillwrightError(
          "BACKUP_NOT_FOUND",
          `${to.at} is before the end of the first backup, ${records[0]?.ended ?? ""}: nothing reaches back to it.`,
          {
            subject: to.at,
            ...(to.what === undefined ? {} : { details: [to.what] }),
          },
        );
      }
      return { backup, target: { kind: "time", at: new Date(instant).toISOString() } };
    }
  }
}

function restoreNotes(
  serving: Serving | undefined,
  { backup, servedThen, isBeside }: { readonly backup: BackupRecord; readonly servedThen: string | undefined; readonly isBeside: boolean },
): readonly string[] {
  if (serving === undefined)
    return [`no release serves here yet: bring ${backup.release.id} into service afterwards, \`millwright upgrade --release ${backup.release.id}\``];
  const notes = isBeside
    ? []
    : [
        "What was written after that moment is not in what is restored; it stays in the restore point, and users get the maintenance answer while the two are exchanged",
      ];
  if (servedThen !== undefined) {
    const must = isBeside ? "is not tried on it" : "must pass all its probes on it, or nothing is exchanged";
    notes.push(`release ${servedThen} served then; ${serving.release}, which serves now, ${must}`);
  }
  return notes;
}

/** The `basis` that the same plan would have now. */
export async function recoveryBasis(deps: RecoveryDeps): Promise<string> {
  return basisOf(deps, await readServing(deps.paths));
}

/** A quarter that was not found good is read again. */
async function nextQuarter({ paths }: RecoveryDeps, from: Place): Promise<number> {
  return (((await readVerifyRecord(paths, from))?.quarter ?? 0) % 4) + 1;
}

async function nextType(deps: RecoveryDeps, request: Extract<RecoveryRequest, { kind: "backup" }>): Promise<ReturnType<typeof typeOf>> {
  try {
    await deps.archive.prepare();
    const held = await deps.archive.backups();
    const made = backupsAt("local", await readBackupRecords(deps.paths)).length;
    if (held.length === 0 && made > 0)
      return { type: "full", cause: `the repository holds none of the ${made} backups made before: it was emptied, or is another` };
    return typeOf(deps.stack.facts.backup, held, request, deps.clock.now());
  } catch (error) {
    // The run's first step finishes what a restore has left.
    if (error instanceof MillwrightError && error.code === "ARCHIVE_FOREIGN" && (await isArchivingHeld(deps.psql)))
      return { type: "full", cause: "what was restored on this host has no backup yet" };
    if (!request.bySchedule || !(error instanceof MillwrightError)) throw error;
    // The run's first step fails as this did; nobody would hear of a plan that was never made.
    return { type: "diff", cause: "it is time" };
  }
}

/** There is nothing that a backup could be proven with, and next to nothing to keep. */
function nothingServes(): MillwrightError {
  return new MillwrightError("RELEASE_NOT_FOUND", "No release serves yet, so there is nothing to back up.", {
    hint: "Bring one into service: `millwright upgrade`.",
  });
}

async function requireBackup(deps: RecoveryDeps, from: Place): Promise<BackupRecord> {
  repositoriesAt(from, deps);
  const newest = backupsAt(from, await readBackupRecords(deps.paths)).at(-1);
  if (newest !== undefined) return newest;
  throw new MillwrightError("BACKUP_NOT_FOUND", "There is no backup yet.", { hint: "Make one: `millwright backup run`." });
}

/** What is restored is judged by the release that serves. */
function basisOf(deps: RecoveryDeps, serving: Serving | undefined): string {
  return hashOf({ stack: deps.stack.id, serving: serving === undefined ? null : { ...serving } });
}
