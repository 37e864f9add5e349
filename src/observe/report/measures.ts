import type { Colour } from "../../blueprint/stack.ts";
import { NO_TRAFFIC, quantileSeconds, type Traffic, trafficBetween } from "../../swap/metrics.ts";
import { type BakeSeries, readSeries } from "./bake-series.ts";
import type { Chart, Line, Point, Reference } from "./chart.ts";
import type { ProbeLook, RunStory } from "./run-story.ts";
import { shortNumber } from "./scale.ts";

/** Speeds are of the requests of so many seconds: of two they would say little. */
const SPEED_SECONDS = 10;
const MIB = 1024 ** 2;

/** What was measured in a run, as charts; fewer of an older run, which recorded less. Pure. */
export function measure(story: RunStory, lines: readonly unknown[]): readonly Chart[] {
  const series = readSeries(lines);
  const baked = series === undefined ? [] : [requests(series, story), speeds(series, story), memory(series, story)];
  return [...baked, probeTimes(story.probes)].filter((chart) => chart.lines.some(({ points }) => points.length > 0));
}

/** A reading of the proxy's counts, at a second of the run. */
interface Reading {
  readonly at: number;
  readonly traffic: Traffic;
}

/** The new colour's counts begin at nothing with the switch. */
function readings({ rounds }: BakeSeries, { began, moments }: RunStory): readonly Reading[] {
  const switched = moments.find(({ name }) => name === "switch")?.at;
  const read = rounds.flatMap(({ at, traffic }) => (traffic === undefined ? [] : [{ at: secondsSince(began, at), traffic }]));
  return switched === undefined ? read : [{ at: switched, traffic: NO_TRAFFIC }, ...read];
}

function requests(series: BakeSeries, story: RunStory): Chart {
  const { colour, baseline, rounds } = series;
  const between = pairs(readings(series, story)).map(([before, now]) => ({
    at: now.at,
    seconds: now.at - before.at,
    traffic: trafficBetween(before.traffic, now.traffic),
  }));
  const rate = between.filter(({ seconds }) => seconds > 0).map(({ at, seconds, traffic }): Point => ({ at, value: traffic.requests / seconds }));
  const sent = pairs(rounds.map(({ at, synthetic }) => ({ at: secondsSince(story.began, at), traffic: synthetic })));
  const synthetic = sent.map(([before, now]): Point => ({
    at: now.at,
    value: Math.max(0, now.traffic.requests - before.traffic.requests) / (now.at - before.at || 1),
  }));
  return {
    id: "requests",
    title: "Requests",
    about: `Requests in a second that the proxy led to ${colour}, those of millwright among them; a ✘ below marks answers with a 5xx status.`,
    unit: "/s",
    lines: [line(colour, colour, rate), { ...line("millwright", "plain", synthetic), isMinor: true }],
    references: reference(baseline, (before) => (before.traffic === undefined || before.seconds <= 0 ? undefined : before.traffic.requests / before.seconds)),
    faults: between.flatMap(({ at, traffic }) => (traffic.errors > 0 ? [{ at, text: `${traffic.errors} of ${traffic.requests} answered 5xx` }] : [])),
  };
}

function speeds(series: BakeSeries, story: RunStory): Chart {
  const { colour, baseline } = series;
  const read = readings(series, story);
  const quantile = (share: number): readonly Point[] =>
    read.flatMap((now, index) => {
      const before = read.slice(0, index).findLast(({ at }) => at <= now.at - SPEED_SECONDS) ?? read[0];
      const seconds = before === undefined || index === 0 ? undefined : quantileSeconds(trafficBetween(before.traffic, now.traffic), share);
      return seconds === undefined ? [] : [{ at: now.at, value: seconds * 1000 }];
    });
  return {
    id: "speed",
    title: "Speed",
    about: `Milliseconds within which 95 of 100 requests to ${colour} were answered (thin: half of them), of those in the ${SPEED_SECONDS} seconds before.`,
    unit: "ms",
    lines: [line(`${colour}, 95 %`, colour, quantile(0.95)), { ...line(`${colour}, half`, colour, quantile(0.5)), isMinor: true }],
    references: reference(baseline, ({ traffic }) => toMilliseconds(traffic === undefined ? undefined : quantileSeconds(traffic, 0.95))),
    faults: [],
  };
}

function memory({ colour, baseline, rounds }: BakeSeries, { began }: RunStory): Chart {
  const used = rounds.flatMap(({ at, memory: now }) => (now === undefined ? [] : [{ at: secondsSince(began, at), value: now.usedBytes / MIB }]));
  const limit = rounds.findLast((round) => round.memory !== undefined)?.memory?.limitBytes;
  return {
    id: "memory",
    title: "Memory",
    about: `What the web container of ${colour} used${limit === undefined ? "" : `, of the ${shortNumber(limit / MIB)} MiB that it may`}.`,
    unit: "MiB",
    lines: [line(colour, colour, used)],
    references: reference(baseline, (before) => (before.memory === undefined ? undefined : before.memory.usedBytes / MIB)),
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

/** The old release's minutes before the run, as one value. */
function reference(baseline: Baseline | undefined, valueOf: (baseline: Baseline) => number | undefined): readonly Reference[] {
  const value = baseline === undefined ? undefined : valueOf(baseline);
  return baseline === undefined || value === undefined ? [] : [{ name: `${baseline.colour} before`, look: baseline.colour, value }];
}

type Baseline = NonNullable<BakeSeries["baseline"]>;

function toMilliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

function pairs<T>(items: readonly T[]): readonly (readonly [T, T])[] {
  return items.slice(1).map((item, index) => [items[index] as T, item] as const);
}

function secondsSince(began: string, at: string): number {
  return (Date.parse(at) - Date.parse(began)) / 1000;
}
