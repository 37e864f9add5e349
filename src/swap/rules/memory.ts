import type { Round } from "../series.ts";
import { HOLDS, type Rule, span } from "./rule.ts";

interface Point {
  readonly seconds: number;
  readonly usedBytes: number;
}

/** What counts as steady: so much of the growth must show in the later half, and in the least that is held. */
const STEADY = 0.5;

/**
 * A web container that leaks: its memory grows steadily, is beyond what the old release came to, and would reach its limit soon. One that
 * is killed for it breaks the rule of the containers.
 */
export const memoryRule: Rule = (policy, { baseline, rounds }) => {
  const { overSeconds, withinSeconds, above } = policy.rules.memory;
  const last = rounds.at(-1)?.memory;
  if (last === undefined || last.limitBytes <= 0) return HOLDS;
  const points = trailing(rounds, overSeconds);
  const slope = steadySlope(points, overSeconds);
  if (slope === undefined || slope <= 0) return HOLDS;
  const left = (last.limitBytes - last.usedBytes) / slope;
  if (left > withinSeconds || last.usedBytes <= (baseline?.memory?.usedBytes ?? 0)) return HOLDS;
  const old = baseline?.memory === undefined ? "" : `; the old release uses ${mebibytes(baseline.memory.usedBytes)}`;
  const detail = `the web container's memory grew steadily for ${span(overSeconds)} to ${mebibytes(last.usedBytes)} and would reach its limit of ${mebibytes(last.limitBytes)} in ${span(left)}${old}`;
  if (last.usedBytes >= above * last.limitBytes) return { verdict: "fail", detail };
  return { ...HOLDS, notes: [{ rule: "memory", about: "web", level: "warning", text: detail }] };
};

function trailing(rounds: readonly Round[], seconds: number): readonly Point[] {
  const points = rounds.flatMap((round) => (round.memory === undefined ? [] : [{ seconds: round.seconds, usedBytes: round.memory.usedBytes }]));
  const last = points.at(-1)?.seconds ?? 0;
  // The round just before the window is part of it, else a window that falls between two rounds would never be full.
  const first = points.findLastIndex((point) => point.seconds <= last - seconds);
  return points.slice(Math.max(0, first));
}

/**
 * Bytes a second over the whole window; undefined while it is not full, or when the growth is not steady: caches that fill level off, and
 * where workers come and go the least that is held stays what it was.
 */
function steadySlope(points: readonly Point[], seconds: number): number | undefined {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 6 || last.seconds - first.seconds < seconds) return undefined;
  const middle = Math.floor(points.length / 2);
  const [early, late] = [points.slice(0, middle + 1), points.slice(middle)];
  const slope = slopeOf(points);
  const least = (part: readonly Point[]): number => Math.min(...part.map((point) => point.usedBytes));
  const risen = least(late) - least(early);
  const expected = slope * ((points[middle]?.seconds ?? 0) - first.seconds);
  return slopeOf(late) >= STEADY * Math.max(0, slopeOf(early)) && risen >= STEADY * expected ? slope : undefined;
}

/** Least squares. */
function slopeOf(points: readonly Point[]): number {
  const mean = (pick: (point: Point) => number): number => points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const [x, y] = [mean((point) => point.seconds), mean((point) => point.usedBytes)];
  const over = points.reduce((sum, point) => sum + (point.seconds - x) * (point.usedBytes - y), 0);
  const under = points.reduce((sum, point) => sum + (point.seconds - x) ** 2, 0);
  return under === 0 ? 0 : over / under;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
