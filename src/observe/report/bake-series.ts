import type { Colour } from "../../blueprint/stack.ts";
import { type Baseline, type Round, seriesLineSchema } from "../../swap/series.ts";

/** The recorded series of a bake. */
export interface BakeSeries {
  readonly colour: Colour;
  readonly baseline: Baseline | undefined;
  readonly rounds: readonly Round[];
}

/** Of the lines of series.jsonl those that count: what follows the last beginning. Undefined of a run that recorded none. */
export function readSeries(lines: readonly unknown[]): BakeSeries | undefined {
  const known = lines.flatMap((line) => seriesLineSchema.safeParse(line).data ?? []);
  const start = known.findLastIndex(({ kind }) => kind === "begun");
  const begun = known[start];
  if (begun?.kind !== "begun") return undefined;
  return { colour: begun.colour, baseline: begun.baseline, rounds: known.slice(start + 1).flatMap((line) => (line.kind === "round" ? [line] : [])) };
}
