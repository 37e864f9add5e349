import { isBusy, secondHalf } from "./rules/latency.ts";
import { lastWith, type SwapPolicy } from "./rules/rule.ts";
import type { BakeSeries } from "./series.ts";

/** The numbers are complete a little before the end. */
const DONE_BY = 0.8;

/**
 * How many synthetic requests should be sent until the next round, so that each rule has its numbers when the bake is due: as many as
 * people are behind the even pace, and no more than the rate allows. Pure.
 */
export function syntheticNeed(policy: SwapPolicy, series: BakeSeries): number {
  const { traffic: wanted, latency } = policy.rules;
  const last = series.rounds.at(-1);
  const next = (last?.seconds ?? 0) + policy.probeSeconds;
  const pace = (from: number): number => Math.min(1, Math.max(0, (next - from) / (DONE_BY * policy.bakeSeconds - from)));
  const requests = (lastWith(series.rounds, "traffic") ?? last?.synthetic)?.requests ?? 0;
  const missing = wanted.minimumRequests * pace(0) - requests;
  const { baseline } = series;
  const middle = policy.bakeSeconds / 2;
  // Where the old release was measured by synthetic requests, the new one must be as well, whatever people send.
  const toCompare =
    baseline === undefined || latency.action === "off" || isBusy(policy, baseline)
      ? 0
      : latency.minimumRequests * pace(middle) - secondHalf(policy, series, "synthetic").requests;
  return Math.min(Math.ceil(Math.max(0, missing, toCompare)), Math.ceil(wanted.rate * policy.probeSeconds));
}
