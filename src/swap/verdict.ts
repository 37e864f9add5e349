import type { StackFacts } from "../blueprint/stack.ts";
import { errorShare, meanMilliseconds, type Traffic } from "./metrics.ts";
import type { ProbeResult } from "./probes/probe.ts";

export interface ContainerView {
  readonly service: string;
  readonly state: string;
  readonly restartCount: number;
  readonly oomKilled: boolean;
}

export interface BakeFacts {
  /** Rounds of probes, oldest first. */
  readonly rounds: readonly (readonly ProbeResult[])[];
  /** The colour's containers when they were found good, and now. */
  readonly before: readonly ContainerView[];
  readonly now: readonly ContainerView[];
  /** The new colour's traffic since the switch; undefined when Traefik's metrics could not be read. */
  readonly traffic: Traffic | undefined;
  /** The old colour's traffic, all that Traefik has counted of it. */
  readonly baseline: Traffic | undefined;
}

export interface Verdict {
  readonly verdict: "pass" | "fail";
  /** Which rule decided. */
  readonly rule: "container" | "probes" | "errors" | "none";
  readonly detail: string;
  readonly numbers: Readonly<Record<string, number>>;
}

type Policy = Pick<StackFacts["swap"], "failedRounds" | "errorRatio" | "minimumRequests">;

/** Whether a new colour may stay, by what was seen so far. Pure; the first rule that is broken decides. */
export function judgeBake(policy: Policy, facts: BakeFacts): Verdict {
  const numbers = numbersOf(facts);
  return (
    brokenContainer(facts, numbers) ??
    brokenProbes(policy, facts, numbers) ??
    brokenTraffic(policy, facts, numbers) ?? { verdict: "pass", rule: "none", detail: describe(numbers), numbers }
  );
}

/** True while the last round failed: the bake goes on until it is clear whether that was a blip. */
export function isStreakOpen(rounds: readonly (readonly ProbeResult[])[]): boolean {
  return failedInARow(rounds) > 0;
}

function brokenContainer(facts: BakeFacts, numbers: Verdict["numbers"]): Verdict | undefined {
  for (const before of facts.before) {
    const now = facts.now.find((candidate) => candidate.service === before.service);
    const problem =
      now === undefined
        ? "is gone"
        : now.oomKilled && !before.oomKilled
          ? "ran out of memory"
          : now.restartCount > before.restartCount
            ? `ended and was restarted ${now.restartCount - before.restartCount} times`
            : now.state !== "running"
              ? `is ${now.state}`
              : undefined;
    if (problem !== undefined) return { verdict: "fail", rule: "container", detail: `the ${before.service} container ${problem}`, numbers };
  }
  return undefined;
}

function brokenProbes(policy: Policy, facts: BakeFacts, numbers: Verdict["numbers"]): Verdict | undefined {
  const row = failedInARow(facts.rounds);
  if (row < Math.max(1, policy.failedRounds)) return undefined;
  const failed = (facts.rounds.at(-1) ?? []).filter((probe) => probe.verdict === "fail");
  const detail = failed.map((probe) => `${probe.name}: ${probe.detail}`).join("; ");
  return { verdict: "fail", rule: "probes", detail: `${row} rounds of probes in a row failed, last by ${detail}`, numbers };
}

/** The old colour's own share of errors is what users are used to: only what is beyond it speaks against the new one. */
function brokenTraffic(policy: Policy, facts: BakeFacts, numbers: Verdict["numbers"]): Verdict | undefined {
  const { traffic, baseline } = facts;
  if (traffic === undefined || traffic.requests < Math.max(1, policy.minimumRequests)) return undefined;
  const usual = baseline === undefined ? 0 : errorShare(baseline);
  if (errorShare(traffic) - usual <= policy.errorRatio) return undefined;
  const detail = `${traffic.errors} of ${traffic.requests} requests (${percent(errorShare(traffic))}) were answered 5xx; the old colour had ${percent(usual)}, and ${percent(policy.errorRatio)} more is allowed`;
  return { verdict: "fail", rule: "errors", detail, numbers };
}

/** A round counts as failed when any probe failed; one in which some could not look is no failure. */
function failedInARow(rounds: readonly (readonly ProbeResult[])[]): number {
  let row = 0;
  while (row < rounds.length && rounds[rounds.length - 1 - row]?.some((probe) => probe.verdict === "fail") === true) row += 1;
  return row;
}

function numbersOf(facts: BakeFacts): Verdict["numbers"] {
  const failed = facts.rounds.filter((round) => round.some((probe) => probe.verdict === "fail")).length;
  const traffic = facts.traffic === undefined ? {} : { requests: facts.traffic.requests, errors: facts.traffic.errors, errorShare: errorShare(facts.traffic) };
  const mean = facts.traffic === undefined ? undefined : meanMilliseconds(facts.traffic);
  const usual = facts.baseline === undefined ? undefined : meanMilliseconds(facts.baseline);
  return {
    rounds: facts.rounds.length,
    failedRounds: failed,
    ...traffic,
    ...(facts.baseline === undefined ? {} : { oldErrorShare: errorShare(facts.baseline) }),
    ...(mean === undefined ? {} : { meanMilliseconds: Math.round(mean) }),
    ...(usual === undefined ? {} : { oldMeanMilliseconds: Math.round(usual) }),
  };
}

function describe(numbers: Verdict["numbers"]): string {
  const requests = numbers["requests"];
  const traffic = requests === undefined ? "no metrics of the proxy" : `${requests} requests, ${numbers["errors"] ?? 0} of them 5xx`;
  return `${numbers["rounds"] ?? 0} rounds of probes, ${numbers["failedRounds"] ?? 0} failed; ${traffic}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
