import * as z from "zod";
import { parseJson } from "../kernel/parse-json.ts";

/** Something that will happen on the host by itself. */
export interface Scheduled {
  readonly at: string;
  readonly what: string;
}

/** Timers worth a word, and what they do. */
const TIMERS: Readonly<Record<string, string>> = { "apt-daily-upgrade.timer": "security updates of the host" };

/** For `systemctl list-timers`. */
export const TIMER_PATTERNS: readonly string[] = Object.keys(TIMERS);

const timersSchema = z.array(z.object({ unit: z.string(), next: z.number().nullish() }));

/** What `systemctl list-timers --output=json` says of the times to come, in microseconds; those that are not set have none. */
export function timersToCome(output: string): readonly Scheduled[] {
  const timers = timersSchema.safeParse(parseJson(output)).data ?? [];
  return timers.flatMap(({ unit, next }) =>
    next === null || next === undefined || next === 0 ? [] : [{ at: new Date(next / 1000).toISOString(), what: TIMERS[unit] ?? unit.replace(/\.timer$/, "") }],
  );
}

/** The soonest first. */
export function inOrderOfTime(scheduled: readonly Scheduled[]): Scheduled[] {
  return [...scheduled].sort((a, b) => (a.at < b.at ? -1 : 1));
}
