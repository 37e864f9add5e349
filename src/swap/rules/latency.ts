import { NO_TRAFFIC, quantileSeconds, type Traffic, trafficBetween } from "../metrics.ts";
import type { Baseline, BakeSeries } from "../series.ts";
import { HOLDS, isDue, lastWith, milliseconds, type Rule, span, type SwapPolicy } from "./rule.ts";

const SHARE = 0.95;

/** What the two releases' speed is compared by. */
export interface Speeds {
  readonly old: Traffic;
  readonly now: Traffic;
  readonly whose: "all" | "synthetic";
}

/**
 * Slower than the old release. The first half of the bake is left out, because caches fill in it. Like is compared with like: where people
 * worked before the swap, all requests with all requests; else the synthetic ones, which are the same on both sides.
 */
export const latencyRule: Rule = (policy, series) => {
  const { latency: rules } = policy.rules;
  if (series.baseline === undefined || !isDue(policy, series)) return HOLDS;
  if (isBusy(policy, series.baseline) && lastWith(series.rounds, "traffic") === undefined) {
    return {
      ...HOLDS,
      notes: [{ rule: "latency", about: "metrics", level: "warning", text: "the proxy's measures could not be read: its speed was not compared" }],
    };
  }
  const speeds = speedsOf(policy, series);
  if (speeds === undefined) {
    return { verdict: "unknown", detail: `fewer than ${rules.minimumRequests} requests on one side: its speed cannot be compared`, otherwise: "pass" };
  }
  const [old, now] = [quantileSeconds(speeds.old, SHARE) ?? 0, quantileSeconds(speeds.now, SHARE) ?? 0];
  if (now <= Math.max(rules.floorSeconds, rules.ratio * old)) return HOLDS;
  const requests = `of ${speeds.now.timed} ${speeds.whose === "synthetic" ? "synthetic " : ""}requests`;
  const before = `with the old release it was ${milliseconds(old)}, of ${speeds.old.timed}${inBaseline(series.baseline, speeds)}`;
  const allowed = `${milliseconds(Math.max(rules.floorSeconds, rules.ratio * old))} is allowed`;
  return { verdict: "fail", detail: `95 of 100 answers took up to ${milliseconds(now)} (${requests}); ${before}, and ${allowed}` };
};

function inBaseline(baseline: Baseline, { whose }: Speeds): string {
  return whose === "all" ? ` in the ${span(baseline.seconds)} before` : "";
}

/** Undefined while there is too little to compare. */
export function speedsOf(policy: SwapPolicy, series: BakeSeries): Speeds | undefined {
  const { minimumRequests } = policy.rules.latency;
  const { baseline } = series;
  if (baseline === undefined) return undefined;
  const pair: Speeds =
    baseline.traffic !== undefined && isBusy(policy, baseline)
      ? { whose: "all", old: baseline.traffic, now: secondHalf(policy, series, "traffic") }
      : { whose: "synthetic", old: baseline.synthetic, now: secondHalf(policy, series, "synthetic") };
  return pair.old.timed < minimumRequests || pair.now.timed < minimumRequests ? undefined : pair;
}

/** Whether enough people worked before the swap to compare with them. */
export function isBusy(policy: SwapPolicy, baseline: Pick<Baseline, "traffic" | "synthetic">): boolean {
  return (baseline.traffic?.requests ?? 0) - baseline.synthetic.requests >= policy.rules.latency.minimumRequests;
}

/** What came since the middle of the bake. */
export function secondHalf(policy: SwapPolicy, { rounds }: BakeSeries, whose: "traffic" | "synthetic"): Traffic {
  const middle = rounds.findIndex((round) => round.seconds >= policy.bakeSeconds / 2 && round[whose] !== undefined);
  const [from, to] = [rounds[middle]?.[whose], lastWith(rounds.slice(Math.max(0, middle)), whose)];
  return from === undefined || to === undefined || middle === -1 ? NO_TRAFFIC : trafficBetween(from, to);
}
