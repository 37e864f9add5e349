import { NO_TRAFFIC, type Traffic, withRequest } from "../../src/swap/metrics.ts";
import type { Baseline, BakeSeries, Round } from "../../src/swap/series.ts";

const START = Date.parse("2026-11-24T02:00:00.000Z");
const PROBES = ["login page", "assets", "version", "websocket", "database", "shop floor page", "front door"];
const MIB = 1024 ** 2;

/** How a plant fares, told by functions of time or of the number of a request; what is not said is quiet and good. */
export interface Story {
  readonly seconds?: number;
  /** Requests of people in a second. */
  readonly people?: number;
  /** Requests that millwright sends in a second. */
  readonly synthetic?: number;
  /** Whether the n-th request fails, counted from 1. */
  readonly fails?: (request: number) => boolean;
  /** The router that takes the n-th request in. */
  readonly router?: (request: number) => string;
  /** Seconds that the n-th request takes. */
  readonly takes?: (request: number) => number;
  /** Whether a probe is bad in a round, counted from 0. */
  readonly bad?: (probe: string, round: number) => boolean;
  readonly memory?: (second: number) => number;
  readonly log?: (second: number) => Round["log"];
  readonly containers?: (second: number) => Round["containers"];
  readonly cron?: Round["cron"];
  /** Traefik's metrics could not be read. */
  readonly blind?: boolean;
}

const STEADY = [{ service: "web", state: "running", restartCount: 0, oomKilled: false }];
const sometimes = (request: number): number => [0.03, 0.05, 0.08, 0.12, 0.25][request % 5] ?? 0.03;

/** The rounds that a bake of such a release would have recorded, one every two seconds. */
export function recordRounds(story: Story): readonly Round[] {
  const { seconds = 60, people = 5, synthetic = 1 } = story;
  const rounds: Round[] = [];
  let [traffic, own] = [NO_TRAFFIC, NO_TRAFFIC];
  let request = 0;
  for (let second = 0; second <= seconds; second += 2) {
    const round = rounds.length;
    for (let nth = 0; nth < (people + synthetic) * 2; nth += 1) {
      request += 1;
      traffic = received(traffic, story, request);
      if (nth >= people * 2) own = received(own, story, request);
    }
    rounds.push({
      at: new Date(START + second * 1000).toISOString(),
      seconds: second,
      probes: PROBES.map((name) => {
        const isBad = story.bad?.(name, round) ?? false;
        return { name, verdict: isBad ? "fail" : "pass", milliseconds: 40, ...(isBad ? { detail: `${name} answered 500` } : {}) };
      }),
      containers: [...(story.containers?.(second) ?? STEADY)],
      ...(story.blind === true ? {} : { traffic }),
      synthetic: own,
      memory: { usedBytes: story.memory?.(second) ?? 500 * MIB, limitBytes: 1024 * MIB },
      log: story.log?.(second) ?? { entries: 0, kinds: 0 },
      ...(story.cron === undefined ? {} : { cron: story.cron }),
    });
  }
  return rounds;
}

/** The old release in the ten minutes before. */
export function recordBaseline(story: Story & { readonly failing?: Baseline["failing"] } = {}): Baseline {
  const { seconds = 600, people = 5, synthetic = 0 } = story;
  let [traffic, own] = [NO_TRAFFIC, NO_TRAFFIC];
  for (let request = 1; request <= (people + synthetic) * seconds; request += 1) {
    traffic = received(traffic, story, request);
    if (request > people * seconds) own = received(own, story, request);
  }
  return {
    at: new Date(START - 30_000).toISOString(),
    colour: "blue",
    release: "2026-11-24-1",
    source: "prometheus",
    seconds,
    traffic,
    synthetic: own,
    failing: [...(story.failing ?? [])],
    memory: { usedBytes: story.memory?.(0) ?? 550 * MIB, limitBytes: 1024 * MIB },
    logKinds: [],
  };
}

export function recordSeries(story: Story, baseline: Baseline | undefined = recordBaseline()): BakeSeries {
  return { before: STEADY, baseline, rounds: recordRounds(story) };
}

function received(traffic: Traffic, story: Story, request: number): Traffic {
  const isError = story.fails?.(request) ?? false;
  const next = withRequest(traffic, (story.takes ?? sometimes)(request), isError);
  const router = story.router?.(request) ?? "odoo";
  const before = traffic.routers[router] ?? { requests: 0, errors: 0 };
  return { ...next, routers: { ...next.routers, [router]: { requests: before.requests + 1, errors: before.errors + (isError ? 1 : 0) } } };
}
