import type { Past } from "./due.ts";

const DAY = 86_400_000;
/** Holidays are no sign of a clock that is wrong; a season is. */
const LONGEST_DAYS = 60;

/**
 * Why a clock can hardly be right: it is months after all that the host has ever finished. A backup made by it would be the newest until then, and once
 * the clock is put right pgBackRest makes none that is older. Undefined while there is nothing to go by, or no doubt. Pure.
 */
export function clockDoubt({ records, runs }: Pick<Past, "records" | "runs">, now: number): string | undefined {
  const done = runs.filter(({ outcome }) => outcome === "done").map(({ began }) => began);
  const newest = Math.max(...[...records.map(({ at }) => at), ...done].map((instant) => Date.parse(instant)));
  const days = Math.floor((now - newest) / DAY);
  if (!Number.isFinite(newest) || days <= LONGEST_DAYS) return undefined;
  return `This host's clock says ${new Date(now).toISOString().slice(0, 16)}Z, ${days} days after all that it has ever done.`;
}
