import type { Colour } from "../../blueprint/stack.ts";
import { type Baseline, type Round, seriesLineSchema, type Verdict } from "../../swap/series.ts";

/** The recorded series of one watch: of a bake, or of a stage of a canary. */
export interface WatchSeries {
  readonly colour: Colour;
  /** When users came: what its counts begin at. */
  readonly since: string;
  readonly baseline: Baseline | undefined;
  readonly rounds: readonly Round[];
  /** Undefined of a watch that somebody or something ended before its time. */
  readonly verdict: Verdict | undefined;
}

/** Of the lines of series.jsonl those that count: what follows the last beginning. Undefined of a run that recorded none. */
export function readSeries(lines: readonly unknown[]): WatchSeries | undefined {
  const known = lines.flatMap((line) => seriesLineSchema.safeParse(line).data ?? []);
  const start = known.findLastIndex(({ kind }) => kind === "begun");
  const begun = known[start];
  if (begun?.kind !== "begun") return undefined;
  const rest = known.slice(start + 1);
  return {
    colour: begun.colour,
    since: begun.since ?? begun.at,
    baseline: begun.baseline,
    rounds: rest.flatMap((line) => (line.kind === "round" ? [line] : [])),
    verdict: rest.flatMap((line) => (line.kind === "verdict" ? [line.verdict] : [])).at(-1),
  };
}
