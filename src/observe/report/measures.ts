import type { Colour } from "../../blueprint/stack.ts";
import { NO_TRAFFIC, quantileSeconds, type Traffic, trafficBetween } from "../../swap/metrics.ts";
import type { Baseline, Round } from "../../swap/series.ts";
import type { RunRecord } from "../run-record.ts";
import type { Chart, Line, Point, Reference } from "./chart.ts";
import type { ProbeLook, RunStory } from "./run-story.ts";
import { shortNumber } from "./scale.ts";
import { shareChart } from "./share-chart.ts";
import { readSeries, type WatchSeries } from "./watch-series.ts";

/** Speeds are of the requests of so many seconds: of two they would say little. */
const SPEED_SECONDS = 10;
const MIB = 1024 ** 2;

/** What was measured in a run, as charts; fewer of an older run, which recorded less. Pure. */
export function measure(story: RunStory, { series, stages }: Pick<RunRecord, "series" | "stages">): readonly Chart[] {
  const watches = [...stages.map((stage) => stage.series), series].flatMap((lines) => readSeries(lines) ?? []);
  const last = watches.at(-1);
  const watched = last === undefined ? [] : [requests(watches, last, story), speeds(watches, last, story), memory(watches, last, story)];
  return [...shareChart(story), ...watched, probeTimes(story.probes)].filter((chart) => chart.lines.some(({ points }) => points.length > 0));
}

/** A reading of the proxy's counts, at a second of the run. */
interface Reading {
  readonly at: number;
  readonly traffic: Traffic;
}

/** A colour's readings, watch by watch: in each they begin at nothing. */
interface Counts {
  readonly colour: Colour;
  readonly watches: readonly (readonly Reading[])[];
}

/** Of the new colour, and of the old one as far as it was counted: while some users were on it still. */
function countsOf(watches: readonly WatchSeries[], { colour }: WatchSeries, { began }: RunStory): readonly Counts[] {
  const read = (of: (round: Round) => Traffic | undefined): Counts["watches"] =>
    watches.map(({ since, rounds }) => {
      const readings = rounds.flatMap((round) => {
        const traffic = of(round);
        return traffic === undefined ? [] : [{ at: secondsSince(began, round.at), traffic }];
      });
      return readings.length === 0 ? [] : [{ at: secondsSince(began, since), traffic: NO_TRAFFIC }, ...readings];
    });
  return [
    { colour, watches: read(({ traffic }) => traffic) },
    { colour: colour === "blue" ? "green" : "blue", watches: read(({ old }) => old) },
  ];
}

function requests(watches: readonly WatchSeries[], last: WatchSeries, story: RunStory): Chart {
  const isSplit = watches.some(({ rounds }) => rounds.some(({ old }) => old !== undefined));
  const counts = countsOf(watches, last, story).map(({ colour, watches: read }) => ({ colour, between: read.map((readings) => pairs(readings).map(came)) }));
  const rates = counts.map(({ colour, between }) => line(colour, colour, strokes(between.map((all) => all.filter(({ seconds }) => seconds > 0).map(rateOf)))));
  const sent = watches.map(({ rounds }) =>
    pairs(rounds.map(({ at, synthetic }) => ({ at: secondsSince(story.began, at), traffic: synthetic })))
      .map(came)
      .filter(({ seconds }) => seconds > 0)
      .map(rateOf),
  );
  return {
    id: "requests",
    title: "Requests",
    about: `Requests in a second that the proxy led to ${last.colour}${isSplit ? ", and in the canary to the old release" : ""}, those of millwright among them; a ✘ below marks answers with a 5xx status.`,
    unit: "/s",
    lines: [...rates, { ...line("millwright", "plain", strokes(sent)), isMinor: true }],
    references: reference(last, (before) => (before.traffic === undefined || before.seconds <= 0 ? undefined : before.traffic.requests / before.seconds)),
    faults: counts.flatMap(({ colour, between }) =>
      between
        .flat()
        .flatMap(({ at, traffic }) => (traffic.errors > 0 ? [{ at, text: `${traffic.errors} of ${traffic.requests} of ${colour} answered 5xx` }] : [])),
    ),
  };
}

/** What came between two readings. */
function came([before, now]: readonly [Reading, Reading]): Reading & { readonly seconds: number } {
  return { at: now.at, seconds: now.at - before.at, traffic: trafficBetween(before.traffic, now.traffic) };
}

function rateOf({ at, seconds, traffic }: ReturnType<typeof came>): Point {
  return { at, value: traffic.requests / seconds };
}

function speeds(watches: readonly WatchSeries[], last: WatchSeries, story: RunStory): Chart {
  return {
    id: "speed",
    title: "Speed",
    about: `Milliseconds within which 95 of 100 requests were answered (thin: half of them), of those in the ${SPEED_SECONDS} seconds before.`,
    unit: "ms",
    lines: countsOf(watches, last, story).flatMap(({ colour, watches: read }) => [
      line(`${colour}, 95 %`, colour, strokes(read.map((readings) => quantiles(readings, 0.95)))),
      { ...line(`${colour}, half`, colour, strokes(read.map((readings) => quantiles(readings, 0.5)))), isMinor: true },
    ]),
    references: reference(last, ({ traffic }) => toMilliseconds(traffic === undefined ? undefined : quantileSeconds(traffic, 0.95))),
    faults: [],
  };
}

function quantiles(readings: readonly Reading[], share: number): readonly Point[] {
  return readings.flatMap((now, index) => {
    const before = readings.slice(0, index).findLast(({ at }) => at <= now.at - SPEED_SECONDS) ?? readings[0];
    const seconds = before === undefined || index === 0 ? undefined : quantileSeconds(trafficBetween(before.traffic, now.traffic), share);
    return seconds === undefined ? [] : [{ at: now.at, value: seconds * 1000 }];
  });
}

function memory(watches: readonly WatchSeries[], last: WatchSeries, { began }: RunStory): Chart {
  const used = watches.map(({ rounds }) =>
    rounds.flatMap(({ at, memory: now }) => (now === undefined ? [] : [{ at: secondsSince(began, at), value: now.usedBytes / MIB }])),
  );
  const limit = last.rounds.findLast((round) => round.memory !== undefined)?.memory?.limitBytes;
  return {
    id: "memory",
    title: "Memory",
    about: `What the web container of ${last.colour} used${limit === undefined ? "" : `, of the ${shortNumber(limit / MIB)} MiB that it may`}.`,
    unit: "MiB",
    lines: [line(last.colour, last.colour, strokes(used))],
    references: reference(last, (before) => (before.memory === undefined ? undefined : before.memory.usedBytes / MIB)),
    faults: [],
  };
}

/** The slowest of each round: a probe that gets slow shows, whichever it is. */
function probeTimes(probes: readonly ProbeLook[]): Chart {
  const slowest = (colour: Colour): readonly Point[] =>
    roundsOf(probes.filter((probe) => probe.colour === colour)).map((round) => ({
      at: round[0]?.at ?? 0,
      value: Math.max(...round.map(({ milliseconds }) => milliseconds)),
    }));
  return {
    id: "probe-times",
    title: "Answers to probes",
    about: "Milliseconds that the slowest probe of each round took; a ✘ below marks one that failed.",
    unit: "ms",
    lines: [line("blue", "blue", slowest("blue")), line("green", "green", slowest("green"))],
    references: [],
    faults: probes.flatMap(({ at, verdict, name, detail }) => (verdict === "fail" ? [{ at, text: `${name}: ${detail}` }] : [])),
  };
}

/** Probes are asked side by side: the next round begins where one of them comes again. */
function roundsOf(probes: readonly ProbeLook[]): readonly (readonly ProbeLook[])[] {
  const rounds: ProbeLook[][] = [];
  for (const probe of probes) {
    const round = rounds.at(-1);
    if (round === undefined || round.some(({ name }) => name === probe.name)) rounds.push([probe]);
    else round.push(probe);
  }
  return rounds;
}

function line(name: string, look: Line["look"], points: readonly Point[]): Line {
  return { name, look, points };
}

/** The points of several watches as one line: nothing is drawn from the end of one to the beginning of the next. */
function strokes(watches: readonly (readonly Point[])[]): readonly Point[] {
  return watches.flatMap((points) => points.map((point, index) => (index === 0 ? { ...point, isApart: true } : point)));
}

/** The old release's minutes before the run, as one value. */
function reference({ baseline }: WatchSeries, valueOf: (baseline: Baseline) => number | undefined): readonly Reference[] {
  const value = baseline === undefined ? undefined : valueOf(baseline);
  return baseline === undefined || value === undefined ? [] : [{ name: `${baseline.colour} before`, look: baseline.colour, value }];
}

function toMilliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

function pairs<T>(items: readonly T[]): readonly (readonly [T, T])[] {
  return items.slice(1).map((item, index) => [items[index] as T, item] as const);
}

function secondsSince(began: string, at: string): number {
  return (Date.parse(at) - Date.parse(began)) / 1000;
}
