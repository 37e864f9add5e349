import type { StackFacts } from "../blueprint/stack.ts";
import type { BackupRecord } from "./backup-record.ts";
import type { BackupType, DatabaseBackup } from "./database-archive.ts";

const DAY = 86_400_000;
/** What failed by schedule is tried again after so long: a backup is missed, a drill reads and writes as much as the plant has. */
const AGAIN_MILLISECONDS: Readonly<Record<Due["kind"], number>> = { backup: 60 * 60_000, drill: DAY };
/** Days between two drills by schedule. */
export const DRILL_DAYS = 7;
/** A full backup that is older is followed by a new one, whatever day it is. */
const FULL_DAYS = 7;

/** What of a host's past the schedule goes by. */
export interface Past {
  readonly records: readonly Pick<BackupRecord, "at">[];
  /** When the last drill was passed, ISO 8601. */
  readonly drilledAt: string | undefined;
  /** Runs of the host, newest first. */
  readonly runs: readonly { readonly kind: string; readonly outcome: string; readonly began: string }[];
}

export type Due = { readonly kind: "backup" } | { readonly kind: "drill" };

/**
 * What is to be begun now: the backup of the last time that has come, also when the host was off then, or that day's drill. The first backup is
 * due at once. Pure.
 */
export function dueNow({ at, drill }: StackFacts["backup"], past: Past, now: number): Due | undefined {
  // What a clock that was ahead has dated later than now counts for nothing: it would keep all others from being made until then.
  const isPast = (instant: string): boolean => Date.parse(instant) <= now;
  const records = past.records.filter((record) => isPast(record.at));
  const drilledAt = past.drilledAt !== undefined && isPast(past.drilledAt) ? past.drilledAt : undefined;
  const failedLately = (kind: Due["kind"]): boolean =>
    past.runs.some((run) => run.kind === kind && run.outcome !== "done" && isPast(run.began) && now - Date.parse(run.began) < AGAIN_MILLISECONDS[kind]);
  const newest = records.at(-1);
  const due = lastTime(at, now);
  if (newest === undefined || Date.parse(newest.at) < due) return failedLately("backup") ? undefined : { kind: "backup" };
  if (drill === undefined) return undefined;
  const drillDue = lastWeekday(due, drill);
  const isProven = drilledAt !== undefined && Date.parse(drilledAt) >= drillDue;
  const hasBackup = records.some((record) => Date.parse(record.at) >= drillDue);
  return isProven || !hasBackup || failedLately("drill") ? undefined : { kind: "drill" };
}

/** When backup and drill are next begun by themselves, ISO 8601. Pure. */
export function nextTimes({ at, drill }: StackFacts["backup"], now: number): { readonly backup: string; readonly drill: string | undefined } {
  const next = lastTime(at, now) + DAY;
  const days = drill === undefined ? undefined : (drill - new Date(next).getUTCDay() + 7) % 7;
  return { backup: new Date(next).toISOString(), drill: days === undefined ? undefined : new Date(next + days * DAY).toISOString() };
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
