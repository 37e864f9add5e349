import type { RuleAction } from "../site/environment.ts";
import { errorShare, quantileSeconds } from "./metrics.ts";
import { containersRule } from "./rules/containers.ts";
import { cronRule } from "./rules/cron.ts";
import { errorsRule } from "./rules/errors.ts";
import { latencyRule, speedsOf } from "./rules/latency.ts";
import { logRule } from "./rules/log.ts";
import { memoryRule } from "./rules/memory.ts";
import { probesRule } from "./rules/probes.ts";
import { HOLDS, lastWith, milliseconds, type Rule, type RuleFinding, type SwapPolicy } from "./rules/rule.ts";
import type { BakeSeries, Verdict } from "./series.ts";

/** A bake has at least as many rounds as if each took so many times as long as it is meant to. */
const SLOWEST = 2;

type RuleName = Exclude<Verdict["rule"], "none" | "time">;

/** In the order in which they are heard: what is surest comes first. */
const RULES: readonly { readonly name: RuleName; readonly rule: Rule }[] = [
  { name: "containers", rule: containersRule },
  { name: "probes", rule: probesRule },
  { name: "errors", rule: errorsRule },
  { name: "latency", rule: latencyRule },
  { name: "memory", rule: memoryRule },
  { name: "log", rule: logRule },
  { name: "cron", rule: cronRule },
];

/**
 * Whether a new release may stay, by what was seen so far. `fail` as soon as a rule is broken; `pass` when the bake has had its time and no
 * rule is open; `unknown` until then. A rule still open when the bake may not be made longer is decided as it says itself. Pure.
 */
export function judgeBake(policy: SwapPolicy, series: BakeSeries): Verdict {
  const findings = RULES.map(({ name, rule }) => ({ name, ...weigh(actionOf(policy, name), name, () => rule(policy, series)) }));
  const notes = findings.flatMap((finding) => finding.notes ?? []);
  const numbers = numbersOf(policy, series);
  const say = (verdict: Verdict["verdict"], rule: Verdict["rule"], detail: string): Verdict => ({ verdict, rule, detail, numbers, notes });

  const broken = findings.find(({ verdict }) => verdict === "fail");
  if (broken !== undefined) return { ...say("fail", broken.name, broken.detail), ...(broken.service === undefined ? {} : { service: broken.service }) };
  const seconds = series.rounds.at(-1)?.seconds ?? 0;
  if (seconds < policy.bakeSeconds) return say("unknown", "time", `watched for ${Math.floor(seconds)} of ${policy.bakeSeconds} s`);
  // While a call hangs, time passes in which nothing is seen.
  const fewest = Math.ceil(policy.bakeSeconds / (SLOWEST * policy.probeSeconds));
  if (series.rounds.length < fewest) return say("unknown", "time", `looked ${series.rounds.length} times of at least ${fewest}`);
  const open = findings.filter(({ verdict }) => verdict === "unknown");
  const [first] = open;
  if (first !== undefined && seconds < policy.bakeSeconds + policy.rules.extendSeconds) return say("unknown", first.name, first.detail);
  const lost = open.find(({ otherwise }) => otherwise === "fail");
  if (lost !== undefined) return say("fail", lost.name, `undecided to the end of ${Math.floor(seconds)} s, which counts as failed: ${lost.detail}`);
  const unheard = open.map(({ name, detail }) => ({ rule: name, about: "undecided", level: "warning" as const, text: detail }));
  return { ...say("pass", "none", describe(numbers)), notes: [...notes, ...unheard] };
}

/** Between two rounds only the containers are looked at: the verdict if they have ended the bake. */
export function judgeContainers(policy: SwapPolicy, series: BakeSeries): Verdict | undefined {
  return containersRule(policy, series).verdict === "fail" ? judgeBake(policy, series) : undefined;
}

function actionOf({ rules }: SwapPolicy, name: RuleName): RuleAction {
  switch (name) {
    case "errors":
    case "latency":
    case "memory":
    case "log":
      return rules[name].action;
    case "containers":
    case "probes":
    case "cron":
      return "fail";
  }
}

function weigh(action: RuleAction, name: RuleName, look: () => RuleFinding): RuleFinding {
  if (action === "off") return HOLDS;
  const finding = look();
  if (action === "fail" || finding.verdict === "pass") return finding;
  const note = { rule: name, about: "broken", level: "warning" as const, text: `${finding.detail} (the site wants this told only)` };
  return { ...HOLDS, notes: [...(finding.notes ?? []), ...(finding.verdict === "fail" ? [note] : [])] };
}

function numbersOf(policy: SwapPolicy, series: BakeSeries): Verdict["numbers"] {
  const { rounds, baseline } = series;
  const last = rounds.at(-1);
  const traffic = lastWith(rounds, "traffic");
  const old = baseline?.traffic;
  const speeds = speedsOf(policy, series);
  const memory = lastWith(rounds, "memory");
  const cron = lastWith(rounds, "cron");
  const p95 = (of: typeof traffic): number => Math.round((of === undefined ? 0 : (quantileSeconds(of, 0.95) ?? 0)) * 1000);
  return {
    seconds: Math.floor(last?.seconds ?? 0),
    rounds: rounds.length,
    failedRounds: rounds.filter(({ probes }) => probes.some(({ verdict }) => verdict === "fail")).length,
    ...(traffic === undefined ? {} : { requests: traffic.requests, errors: traffic.errors, errorShare: errorShare(traffic) }),
    syntheticRequests: last?.synthetic.requests ?? 0,
    syntheticErrors: last?.synthetic.errors ?? 0,
    ...(old === undefined ? {} : { oldRequests: old.requests, oldErrors: old.errors, oldErrorShare: errorShare(old) }),
    ...(baseline === undefined ? {} : { oldSyntheticRequests: baseline.synthetic.requests, baselineSeconds: Math.round(baseline.seconds) }),
    ...(speeds === undefined ? {} : { p95Milliseconds: p95(speeds.now), oldP95Milliseconds: p95(speeds.old), timedRequests: speeds.now.timed }),
    ...(memory === undefined ? {} : { memoryBytes: memory.usedBytes, memoryLimitBytes: memory.limitBytes }),
    ...(baseline?.memory === undefined ? {} : { oldMemoryBytes: baseline.memory.usedBytes }),
    newLogEntries: last?.log.entries ?? 0,
    newLogKinds: last?.log.kinds ?? 0,
    ...(cron === undefined ? {} : { cronJobsDue: cron.due, cronJobsRun: cron.ran, cronSessions: cron.sessions }),
  };
}

function describe(numbers: Verdict["numbers"]): string {
  const of = (name: string): number => numbers[name] ?? 0;
  const probes = `${of("rounds")} rounds of probes, ${of("failedRounds")} with a failure`;
  const requests = numbers["requests"];
  // The last of ours may have been answered just after the proxy was asked.
  const synthetic = Math.min(of("syntheticRequests"), requests ?? 0);
  const traffic = requests === undefined ? "no counts of the proxy" : `${requests} requests (${synthetic} synthetic), ${of("errors")} of them 5xx`;
  const p95 = numbers["p95Milliseconds"];
  const speed = p95 === undefined ? "" : `, 95 of 100 within ${milliseconds(p95 / 1000)} (before: ${milliseconds(of("oldP95Milliseconds") / 1000)})`;
  return `${probes}; ${traffic}${speed}`;
}
