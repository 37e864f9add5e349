import * as z from "zod";
import { describeBytes } from "../../kernel/describe-bytes.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import { backupRecordSchema } from "../../recovery/backup-record.ts";
import { type DrillRecord, drillRecordSchema } from "../../recovery/drill-record.ts";
import { askPlanOf } from "../ask-plan.ts";
import { POINT_NAME, pointRecordSchema } from "../../recovery/point-record.ts";
import { confirmByName } from "../confirm.ts";
import { describePlan } from "../describe-plan.ts";
import { describeInstant } from "../describe-time.ts";
import { endedRunSchema } from "../ended-run.ts";
import { openLink, watchRun } from "../host-link.ts";
import type { Run } from "../program.ts";
import { table } from "../table.ts";
import { type EnvironmentOption, loadTarget } from "../target.ts";
import type { BackupSiteOptions } from "./backup-site.ts";

interface BackupOptions extends EnvironmentOption {
  readonly full?: boolean;
}

interface FromOption extends EnvironmentOption {
  readonly from?: string;
}

interface VerifyOptions extends FromOption {
  readonly all?: boolean;
}

interface PointOptions extends EnvironmentOption {
  readonly name?: string;
}

export const backupRunCommand: Run<BackupOptions> = runOf(({ full }) => ({ kind: "backup", full: full === true }));
export const backupVerifyCommand: Run<VerifyOptions> = runOf(({ all, from }) => ({ kind: "verify", wholeFiles: all === true, ...fromOf(from) }));
export const backupPointCommand: Run<PointOptions> = runOf(({ name = "" }) => {
  if (POINT_NAME.test(name)) return { kind: "point", name };
  throw new MillwrightError("USAGE", `"${name}" cannot be the name of a point.`, { hint: "Letters, digits, dots, dashes and underscores, up to 48." });
});
export const backupDrillCommand: Run<FromOption> = runOf(({ from }) => ({ kind: "drill", ...fromOf(from) }));

/** A host with an older agent knows of no other repository than its own. */
function fromOf(from: string | undefined): { readonly from?: string } {
  return from === undefined || from === "local" ? {} : { from };
}

/** These touch nothing that serves, so nobody is asked. */
function runOf<Options extends EnvironmentOption>(request: (options: Options) => Readonly<Record<string, unknown>>): Run<Options> {
  return async (options, context) => {
    const asked = request(options);
    const target = await loadTarget(options, context);
    const { stack } = target.environment;
    await using link = await openLink(target, options, context);
    const { plan, notes } = await askPlanOf(link, "backup-plan", stack, asked);
    context.output.say(describePlan(plan, notes));
    const run = endedRunSchema.parse(await watchRun(link, "backup", [stack, plan.id], context));
    return { data: { plan, notes, run, channels: link.channels }, text: run.summary };
  };
}

interface RestoreOptions extends FromOption, BackupSiteOptions {
  readonly to?: string;
  readonly toNewHost?: boolean;
  readonly beside?: boolean;
  readonly confirm?: string;
  readonly dryRun?: boolean;
}

export const backupRestoreCommand: Run<RestoreOptions> = async (options, context) => {
  if (options.toNewHost === true) {
    refuseWithNewHost(options);
    return await (await import("./backup-new-host.ts")).restoreToNewHost(options, context);
  }
  refuseWithoutNewHost(options);
  return await restoreOnHost(options, context);
};

/** Into place only after the stack's name was typed. */
export const restoreOnHost: Run<RestoreOptions> = async (options, context) => {
  const to = parseMoment(options.to ?? "");
  const target = await loadTarget(options, context);
  const { stack, host } = target.environment;
  await using link = await openLink(target, options, context);
  const isBeside = options.beside === true;
  const { plan, notes } = await askPlanOf(link, "backup-plan", stack, { kind: "restore", to, isBeside, ...fromOf(options.from) });
  const text = describePlan(plan, notes);
  if (options.dryRun === true) return { data: { plan, notes, changed: false, channels: link.channels }, text };
  context.output.say(text);
  if (!isBeside) await confirmByName(`Put this in the place of what ${host.address} has now?`, stack, options.confirm, context);
  const run = endedRunSchema.parse(await watchRun(link, "backup", [stack, plan.id], context));
  return { data: { plan, notes, run, changed: true, channels: link.channels }, text: run.summary };
};

/** A new host is made of the newest there is, and for good: what would be passed over without a word is refused. */
function refuseWithNewHost({ to, beside, dryRun }: RestoreOptions): void {
  const flags = [...(to === undefined || to === "now" ? [] : ["--to"]), ...(beside === true ? ["--beside"] : []), ...(dryRun === true ? ["--dry-run"] : [])];
  if (flags.length === 0) return;
  throw new MillwrightError("USAGE", `${flags.join(" and ")} does not go with --to-new-host, which bootstraps, deploys and restores the newest there is.`, {
    subject: flags[0] ?? "",
    hint: "Leave it out; once the new host serves, `millwright backup restore --to <moment>` goes back further.",
  });
}

/** They say what to make a new host from, and would be passed over without a word. */
function refuseWithoutNewHost({ host, recoveryKey, repository }: RestoreOptions): void {
  if (host === undefined && recoveryKey === undefined && repository === undefined) return;
  throw new MillwrightError("USAGE", "--host, --recovery-key and --repository are for a new host.", { hint: "Add --to-new-host, or leave them out." });
}

/** `now`, something by its name, or an instant with its zone: without one it would be another hour on another machine. */
export function parseMoment(text: string): Readonly<Record<string, string>> {
  if (text === "now") return { kind: "now" };
  if (text.startsWith("backup:")) return { kind: "backup", id: text.slice(7) };
  if (text.startsWith("release:")) return { kind: "release", id: text.slice(8) };
  if (text.startsWith("point:") && POINT_NAME.test(text.slice(6))) return { kind: "point", name: text.slice(6) };
  const instant = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text.replace(" ", "T")) : Number.NaN;
  if (!Number.isNaN(instant)) return { kind: "time", at: new Date(instant).toISOString() };
  throw new MillwrightError("USAGE", `"${text}" is no moment to restore to.`, {
    subject: "--to",
    hint: "Say now, backup:<id>, point:<name>, release:<id>, or a time with its zone, such as 2026-11-24T14:05+01:00.",
  });
}

const listSchema = z.object({
  backups: z.array(backupRecordSchema),
  points: z.array(pointRecordSchema).default([]),
  drill: drillRecordSchema.nullable(),
  offsiteDrill: drillRecordSchema.nullable().default(null),
});

export const backupListCommand: Run<EnvironmentOption> = async (options, context) => {
  const target = await loadTarget(options, context);
  await using link = await openLink(target, options, context);
  const listed = listSchema.parse(await link.call("backups", [target.environment.stack]));
  const rows = [...listed.backups]
    .reverse()
    .map(({ id, at, who, release, database, files, offsite, isOnlyOffsite }) => [
      id,
      describeInstant(at),
      database.type,
      describeBytes(database.size),
      describeBytes(database.added + files.added),
      String(files.files),
      isOnlyOffsite === true ? "offsite" : offsite === undefined ? "host" : "host, offsite",
      release.id,
      who,
    ]);
  const drills = [listed.drill, listed.offsiteDrill].filter((drill) => drill !== null);
  const points = [...listed.points].reverse().map(({ name, at, release, who }) => [name, describeInstant(at), release, who]);
  const proof = drills.length === 0 ? "No backup was proven yet: millwright backup drill" : drills.map(describeProof).join("\n");
  const text =
    rows.length === 0
      ? "There is no backup yet."
      : `${table(["backup", "began (UTC)", "type", "database", "added", "files", "where", "release", "by"], rows)}\n\n${points.length === 0 ? "" : `${table(["point", "at (UTC)", "release", "by"], points)}\n\n`}${proof}`;
  return { data: { ...listed, channels: link.channels }, text };
};

function describeProof({ backup, from, at, rpoSeconds, rtoSeconds, attachments }: DrillRecord): string {
  const whence = from === "offsite" ? " from the offsite repository" : "";
  return `Backup ${backup} was proven${whence} ${describeInstant(at)}: RPO ${rpoSeconds} s, RTO ${rtoSeconds} s, all of ${attachments} attachments.`;
}
