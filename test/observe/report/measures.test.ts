import { describe, expect, it } from "vitest";
import type { Chart, Line } from "../../../src/observe/report/chart.ts";
import { measure } from "../../../src/observe/report/measures.ts";
import type { Moment, RunStory } from "../../../src/observe/report/run-story.ts";
import type { SeriesLine } from "../../../src/swap/series.ts";
import { releaseNamed } from "../../swap/fake-site.ts";
import { recordBaseline, recordRounds, type Story } from "../../swap/record-series.ts";

const BEGAN = "2026-11-24T02:00:00.000Z";
const at = (second: number): string => new Date(Date.parse(BEGAN) + second * 1000).toISOString();
const MOMENTS: readonly Moment[] = [
  { at: 0, name: "stage", percent: 10 },
  { at: 20, name: "switch" },
];
const STORY: RunStory = {
  began: BEGAN,
  seconds: 60,
  outcome: "done",
  summary: "",
  swap: { kind: "swap", colour: "green", release: releaseNamed("2026-11-24-2") },
  steps: [],
  moments: MOMENTS,
  probes: [],
  notes: [],
};

/** The series of a watch that began so many seconds after the run; of a canary, with what the old release was asked. */
function series(since: number, now: Story, before?: Story): readonly SeriesLine[] {
  const rounds = recordRounds({ seconds: 10, synthetic: 0, ...now });
  const old = before === undefined ? [] : recordRounds({ seconds: 10, synthetic: 0, ...before });
  return [
    { kind: "begun", version: 1, at: at(since + 1), since: at(since), colour: "green", release: "2026-11-24-2", baseline: recordBaseline() },
    ...rounds.map((round, index): SeriesLine => {
      const beside = old[index]?.traffic;
      return { kind: "round", ...round, at: at(since + 2 + round.seconds), ...(beside === undefined ? {} : { old: beside }) };
    }),
  ];
}

function charts(stage: readonly SeriesLine[], bake: readonly SeriesLine[]): ReadonlyMap<string, Chart> {
  const all = measure(STORY, { stages: [{ step: "canary-10", series: [...stage] }], series: [...bake] });
  return new Map(all.map((chart) => [chart.id, chart]));
}

const lineOf = (chart: Chart | undefined, name: string): Line["points"] => chart?.lines.find((line) => line.name === name)?.points ?? [];
const valuesOf = (points: Line["points"]): readonly number[] => points.map(({ value }) => Math.round(value));

describe("what was measured in a canary", () => {
  const whole = charts(series(0, { people: 1 }, { people: 9, takes: () => 0.3 }), series(20, { people: 10, takes: () => 0.1 }));

  it("is drawn by colour: both while both serve, the new release alone from the switch on", () => {
    const requests = whole.get("requests");
    expect(valuesOf(lineOf(requests, "green"))).toEqual([1, 1, 1, 1, 1, 1, 10, 10, 10, 10, 10, 10]);
    expect(valuesOf(lineOf(requests, "blue"))).toEqual([9, 9, 9, 9, 9, 9]);
    expect(lineOf(requests, "blue").at(-1)?.at).toBe(12);
    expect(valuesOf(lineOf(whole.get("speed"), "blue, 95 %")).at(-1)).toBeGreaterThan(200);
    expect(valuesOf(lineOf(whole.get("speed"), "green, 95 %")).at(-1)).toBeLessThan(200);
  });

  it("has no line over the time in which nobody watched, between the last stage and the bake", () => {
    const apart = (chart: Chart | undefined): readonly number[] => lineOf(chart, "green").flatMap((point) => (point.isApart === true ? [point.at] : []));
    expect(apart(whole.get("requests"))).toEqual([2, 22]);
    expect(apart(whole.get("memory"))).toEqual([2, 22]);
  });

  it("marks failed answers of either colour, and says whose they were", () => {
    const { faults } = charts(series(0, { people: 1 }, { people: 9, fails: (request) => request === 20 }), series(20, { people: 10 })).get("requests") ?? {};
    expect(faults).toEqual([{ at: 4, text: "1 of 18 of blue answered 5xx" }]);
  });

  it("shows the share of the browsers rise by stages, and end with all or with none", () => {
    const share = (moments: readonly Moment[]): readonly (readonly [number, number])[] => {
      const chart = measure({ ...STORY, moments }, { series: [], stages: [] }).find(({ id }) => id === "share");
      return (chart?.lines[0]?.points ?? []).map((point) => [point.at, point.value]);
    };
    expect(share(MOMENTS)).toEqual([
      [0, 0],
      [0, 0],
      [0, 10],
      [20, 10],
      [20, 100],
      [60, 100],
    ]);
    expect(share([...MOMENTS.slice(0, 1), { at: 15, name: "back" }]).slice(3)).toEqual([
      [15, 10],
      [15, 0],
      [60, 0],
    ]);
    expect(share([{ at: 20, name: "switch" }])).toEqual([]);
  });
});
