import type { Colour } from "../../blueprint/stack.ts";
import { stampOf } from "../../docker/log-lines.ts";
import { timestamp } from "../../kernel/clock.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { allProbes } from "../all-probes.ts";
import { containerOf } from "../colour-view.ts";
import { ErrorLog } from "../error-log.ts";
import { writeBaseline } from "../evidence.ts";
import { errorShare, quantileSeconds, trafficBetween } from "../metrics.ts";
import { probeHistory } from "../probe-history.ts";
import type { ProbeResult } from "../probes/probe.ts";
import { milliseconds, percent, span } from "../rules/rule.ts";
import { sampleTraffic } from "../sample-traffic.ts";
import type { Baseline } from "../series.ts";
import type { SwapContext } from "../swap-context.ts";
import { SyntheticTraffic, syntheticPaths } from "../synthetic-traffic.ts";
import type { Active } from "../traffic.ts";
import { trafficAgo } from "../traffic-history.ts";
import { activeBefore } from "./switch.ts";

const REPEAT_MILLISECONDS = 1000;
/** Nobody waits longer than this for synthetic requests to the old release. */
const SYNTHETIC_MILLISECONDS = 3000;
const LOG_LINES = 2000;

/** How the old release does, before anything is begun: the new one is held against that. It never fails; what it cannot see it leaves out. */
export const baseline: StepCode<SwapContext> = {
  async do(context, _step, { signal }) {
    const { from, clock } = context;
    const active = activeBefore(context);
    if (active === undefined || from === undefined) return;
    const at = timestamp(clock);
    const rules = context.stack.facts.swap.rules;
    const [failing, past, first, logKinds, memory] = await Promise.all([
      failingProbes(context, active, signal),
      trafficAgo(context, active.colour, rules.baselineSeconds),
      sampleTraffic(context),
      logKindsOf(context, active.colour),
      memoryOf(context, active.colour),
    ]);
    const synthetic = new SyntheticTraffic(context, syntheticPaths(context.stack.facts, failing));
    const reading = first?.[active.colour];
    const people = past === undefined || reading === undefined ? 0 : trafficBetween(past.traffic, reading).requests;
    if (people < rules.latency.minimumRequests) await synthetic.send(rules.latency.minimumRequests, clock.now() + SYNTHETIC_MILLISECONDS);
    const now = (await sampleTraffic(context))?.[active.colour];
    const seen: Baseline = {
      at,
      colour: active.colour,
      release: from.release.id,
      source: past?.source ?? "run",
      seconds: past?.seconds ?? 0,
      ...(past === undefined || now === undefined ? {} : { traffic: trafficBetween(past.traffic, now) }),
      ...(past !== undefined || reading === undefined ? {} : { reading }),
      synthetic: synthetic.seen,
      failing: [...failing],
      ...(memory === undefined ? {} : { memory }),
      logKinds: [...logKinds],
    };
    const evidence = await writeBaseline(context, seen);
    for (const { name, detail } of failing) {
      const text = `Release ${from.release.id}, which serves, fails ${name} already: ${detail}. That will not count against ${context.release.id}.`;
      context.events.emit({ kind: "note", at: timestamp(clock), level: "warning", text });
    }
    return { evidence, failing: failing.map(({ name }) => name), summary: describe(seen) };
  },
};

/** The probes that do not pass on the old release. One failure is none: what fails is asked again until it is clear. */
async function failingProbes(context: SwapContext, active: Active, signal: AbortSignal): Promise<Baseline["failing"]> {
  const rules = context.stack.facts.swap.rules.probes;
  const ask = allProbes(context, active, context.http);
  const looks = new Map<string, ProbeResult[]>();
  const stateOf = (seen: readonly ProbeResult[]): string =>
    probeHistory(
      seen.map(({ verdict }) => verdict),
      rules,
    ).state;
  for (let round = 1; ; round += 1) {
    for (const result of await ask()) looks.set(result.name, [...(looks.get(result.name) ?? []), result]);
    const isClear = [...looks.values()].every((seen) => stateOf(seen) !== "unsettled");
    if (isClear || round >= rules.failAfter + rules.passAfter) break;
    await context.clock.sleep(REPEAT_MILLISECONDS, signal);
  }
  return [...looks].flatMap(([name, seen]) =>
    stateOf(seen) === "passing" ? [] : [{ name, detail: seen.findLast(({ verdict }) => verdict === "fail")?.detail ?? "" }],
  );
}

/** What the old release's logs complain of, as far as their last lines go: a rare complaint is no new one because it is rare. */
async function logKindsOf(context: SwapContext, colour: Colour): Promise<readonly string[]> {
  const log = new ErrorLog();
  for (const service of ["web", "cron"] as const) {
    const container = await containerOf(context, colour, service);
    if (container === undefined) continue;
    try {
      log.read(service, await context.docker.logsSince(container.id, stampOf(0), LOG_LINES));
    } catch {
      // Nothing is known of its complaints then, so all of the new release's count.
    }
  }
  log.close();
  return log.kinds;
}

async function memoryOf(context: SwapContext, colour: Colour): Promise<Baseline["memory"]> {
  const web = await containerOf(context, colour, "web");
  try {
    return web === undefined ? undefined : await context.docker.memory(web.id);
  } catch {
    return undefined;
  }
}

function describe({ traffic, synthetic, seconds, failing }: Baseline): string {
  const probes = failing.length === 0 ? "every probe passes" : `fails already: ${failing.map(({ name }) => name).join(", ")}`;
  if (traffic === undefined) return `${probes}; its requests are counted until the switch`;
  const p95 = quantileSeconds(traffic, 0.95);
  const speed = p95 === undefined ? "" : `, 95 of 100 within ${milliseconds(p95)}`;
  const sent = synthetic.requests === 0 ? "" : ` (${synthetic.requests} synthetic)`;
  return `${probes}; ${traffic.requests} requests in ${span(seconds)}${sent}, ${percent(errorShare(traffic))} of them 5xx${speed}`;
}
