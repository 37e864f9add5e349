import type { StackFacts } from "../blueprint/stack.ts";
import type { BackupRecord } from "./backup-record.ts";
import type { BackupType, DatabaseBackup } from "./database-archive.ts";

const DAY = 86_400_000;
/** What failed by schedule is tried again after so long: a backup is missed, the others read and write as much as the plant has. */
const AGAIN_MILLISECONDS: Readonly<Record<Due["kind"], number>> = { backup: 60 * 60_000, drill: DAY, verify: DAY };
/** Days between two drills by schedule. */
export const DRILL_DAYS = 7;
/** A full backup that is older is followed by a new one, whatever day it is. */
export const FULL_DAYS = 7;

/** What of a host's past the schedule goes by. */
export interface Past {
  readonly records: readonly Pick<BackupRecord, "at">[];
  /** When the last drill of the backups on the host was passed, ISO 8601. */
  readonly drilledAt: string | undefined;
  /** When the backups on the host were last read and found good, ISO 8601. */
  readonly verifiedAt: string | undefined;
  /** Runs of the host, newest first. */
  readonly runs: readonly { readonly kind: string; readonly outcome: string; readonly began: string }[];
}

export type Due = { readonly kind: "backup" | "drill" | "verify" };

/**
 * What is to be begun now: the backup of the last time that has come, also when the host was off then, or that day's drill, or that day's
 * verification, which has the day of the full backup. The first backup is due at once. Pure.
 */
export function dueNow({ at, drill, full }: StackFacts["backup"], past: Past, now: number): Due | undefined {
  // What a clock that was ahead has dated later than now counts for nothing: it would keep all others from being made until then.
  const isPast = (instant: string): boolean => Date.parse(instant) <= now;
  const records = past.records.filter((record) => isPast(record.at));
  const failedLately = (kind: Due["kind"]): boolean =>
    past.runs.some((run) => run.kind === kind && run.outcome !== "done" && isPast(run.began) && now - Date.parse(run.began) < AGAIN_MILLISECONDS[kind]);
  const newest = records.at(-1);
  const due = lastTime(at, now);
  if (newest === undefined || Date.parse(newest.at) < due) return failedLately("backup") ? undefined : { kind: "backup" };
  const isDue = (kind: Due["kind"], weekday: number, passedAt: string | undefined): boolean => {
    const since = lastWeekday(due, weekday);
    const isPassed = passedAt !== undefined && isPast(passedAt) && Date.parse(passedAt) >= since;
    return !isPassed && records.some((record) => Date.parse(record.at) >= since) && !failedLately(kind);
  };
  if (drill !== undefined && isDue("drill", drill, past.drilledAt)) return { kind: "drill" };
  return isDue("verify", full, past.verifiedAt) ? { kind: "verify" } : undefined;
}

/** When each is next begun by itself, ISO 8601. Pure. */
export function nextTimes(
  { at, drill, full }: StackFacts["backup"],
  now: number,
): { readonly backup: string; readonly drill: string | undefined; readonly verify: string } {
  const next = lastTime(at, now) + DAY;
  const on = (weekday: number): string => new Date(next + ((weekday - new Date(next).getUTCDay() + 7) % 7) * DAY).toISOString();
  return { backup: new Date(next).toISOString(), drill: drill === undefined ? undefined : on(drill), verify: on(full) };
}

/** What a backup begun now holds: everything on the site's day, after a week without, and when there is nothing to build on. Pure. */
export function typeOf(
  { at, full }: StackFacts["backup"],
  backups: readonly Pick<DatabaseBackup, "type" | "began" | "isDamaged">[],
  asked: { readonly full: boolean; readonly bySchedule: boolean },
  now: number,
): { readonly type: BackupType; readonly cause: string } {
  const newest = backups.filter(({ type, isDamaged, began }) => type === "full" && !isDamaged && Date.parse(began) <= now).at(-1);
  if (asked.full) return { type: "full", cause: "asked for" };
  if (newest === undefined) return { type: "full", cause: "there is none yet to build on" };
  const age = now - Date.parse(newest.began);
  if (age > FULL_DAYS * DAY) return { type: "full", cause: `the last full one is ${Math.floor(age / DAY)} days old` };
  if (!asked.bySchedule) return { type: "incr", cause: "asked for" };
  const due = lastTime(at, now);
  const isDay = new Date(due).getUTCDay() === full && Date.parse(newest.began) < due;
  return isDay ? { type: "full", cause: "it is the day of the full backup" } : { type: "diff", cause: "it is time" };
}

/** The last instant at which the clock showed that time of day, UTC. */
function lastTime(at: string, now: number): number {
  const today = Date.parse(`${new Date(now).toISOString().slice(0, 10)}T${at}:00.000Z`);
  return today <= now ? today : today - DAY;
}

/** That time of day on the last such weekday, today included. */
function lastWeekday(time: number, weekday: number): number {
  return time - ((new Date(time).getUTCDay() - weekday + 7) % 7) * DAY;
}
