import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { seriesLineSchema, type SeriesLine } from "../../src/swap/series.ts";
import { judgeBake } from "../../src/swap/verdict.ts";
import { DEFAULT_POLICY } from "../fakes/swap-policy.ts";

const RECORDED = join(import.meta.dirname, "recorded");

function linesOf(file: string): readonly SeriesLine[] {
  return readFileSync(join(RECORDED, file), "utf8")
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [seriesLineSchema.parse(JSON.parse(line))]));
}

/** Bakes of real releases on a practice host under load, as its agent wrote them down: `test/live/verdicts.live.test.ts` records them. */
describe("a bake that a host has recorded", () => {
  it.each(readdirSync(RECORDED))("%s is judged as it was then, in the same round", (file) => {
    const lines = linesOf(file);
    const begun = lines.findLast((line) => line.kind === "begun");
    const rounds = lines.filter((line) => line.kind === "round");
    const then = lines.findLast((line) => line.kind === "verdict")?.verdict;
    if (begun === undefined || then === undefined) throw new Error(`${file} is not whole`);
    const before = rounds[0]?.containers ?? [];
    const verdicts = rounds.map((_, index) => judgeBake(DEFAULT_POLICY, { before, baseline: begun.baseline, rounds: rounds.slice(0, index + 1) }));
    expect(verdicts.slice(0, -1).map(({ verdict }) => verdict)).toEqual(rounds.slice(1).map(() => "unknown"));
    const last = verdicts.at(-1);
    expect({ verdict: last?.verdict, rule: last?.rule, detail: last?.detail }).toEqual({ verdict: then.verdict, rule: then.rule, detail: then.detail });
  });
});
