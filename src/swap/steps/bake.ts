import { z } from "zod";
import { timestamp } from "../../kernel/clock.ts";
import { messageOf, MillwrightError } from "../../kernel/errors.ts";
import type { RunView, StepCode } from "../../kernel/run-plan.ts";
import { colourProbes } from "../colour-probes.ts";
import { containerOf, lastLogLines, targetOf } from "../colour-view.ts";
import { writeEvidence } from "../evidence.ts";
import { lookAtFront } from "../front.ts";
import { type Traffic, trafficBetween } from "../metrics.ts";
import { loginPageProbe } from "../probes/login-page.ts";
import { fail, type Probe, type ProbeResult, runProbes } from "../probes/probe.ts";
import { sampleTraffic } from "../sample-traffic.ts";
import type { SwapContext } from "../swap-context.ts";
import { type ContainerView, isStreakOpen, judgeBake, type Verdict } from "../verdict.ts";
import { waitUntil } from "../wait-until.ts";
import { activeNow } from "./switch.ts";

const LOOK_MILLISECONDS = 1000;
/** Failed rounds are all kept as evidence; of the good ones the last few tell enough. */
const KEPT_GOOD_ROUNDS = 5;

/** The new colour serves users under watch, while the old one still runs: losing this is one rename away from how it was. */
export const bake: StepCode<SwapContext> = {
  async do(context, _step, run) {
    const { clock } = context;
    const policy = context.stack.facts.swap;
    const began = clock.now();
    await settleAfterReboot(context, run);
    const before = beforeOf(run);
    const traffic = trafficOfRun(run);
    const rounds: (readonly ProbeResult[])[] = [];
    for (;;) {
      const [round, sample] = await Promise.all([probeRound(context), sampleTraffic(context)]);
      rounds.push(round);
      let verdict = judgeBake(policy, {
        rounds,
        before,
        now: await containersNow(context),
        traffic: sinceSwitch(context, traffic.before, sample),
        baseline: traffic.baseline,
      });
      const elapsed = Math.floor((clock.now() - began) / 1000);
      context.events.emit({
        kind: "progress",
        at: timestamp(clock),
        id: "bake",
        done: Math.min(elapsed, policy.bakeSeconds),
        total: policy.bakeSeconds,
        unit: "seconds",
      });
      if (verdict.verdict === "pass" && elapsed >= policy.bakeSeconds && !isStreakOpen(rounds)) {
        const evidence = await keep(context, rounds, verdict);
        return { summary: verdict.detail, evidence, numbers: verdict.numbers };
      }
      const nextRound = clock.now() + policy.probeSeconds * 1000;
      while (verdict.verdict === "pass" && clock.now() < nextRound) {
        await clock.sleep(Math.min(LOOK_MILLISECONDS, nextRound - clock.now()), run.signal);
        verdict = judgeBake(
          { ...policy, failedRounds: Number.POSITIVE_INFINITY },
          { rounds, before, now: await containersNow(context), traffic: undefined, baseline: undefined },
        );
      }
      if (verdict.verdict === "fail") throw await lost(context, rounds, verdict);
    }
  },
};

/** A rebooted host goes on with the bake while Odoo still starts; that is no fault of the release. */
async function settleAfterReboot(context: SwapContext, run: RunView): Promise<void> {
  const warm = startSchema.safeParse(run.resultOf("warm")).data;
  const web = await containerOf(context, context.colour, "web");
  if (warm === undefined || web === undefined || web.startedAt === warm.startedAt || web.restartCount > warm.restartCount) return;
  await waitUntil({
    what: `${context.colour} answers again after its host was restarted`,
    clock: context.clock,
    signal: run.signal,
    seconds: context.stack.facts.swap.readySeconds,
    pollMilliseconds: 250,
    alive: async () => {},
    look: async () => await loginPageProbe(await targetOf(context, context.colour)).look(),
  });
}

async function probeRound(context: SwapContext): Promise<readonly ProbeResult[]> {
  const front: Probe = { name: "front door", look: async () => (await lookAtFront(context, { expected: activeNow(context), page: true })).finding };
  let direct: readonly Probe[];
  try {
    direct = colourProbes(context, await targetOf(context, context.colour));
  } catch (error) {
    const problem = fail(messageOf(error));
    direct = [{ name: "web container", look: async () => problem }];
  }
  return await runProbes([...direct, front], context.colour, context.clock, context.events);
}

async function containersNow(context: SwapContext): Promise<readonly ContainerView[]> {
  const found = await Promise.all((["web", "cron"] as const).map((service) => containerOf(context, context.colour, service)));
  return found.filter((container) => container !== undefined);
}

const startSchema = z.looseObject({ startedAt: z.string(), restartCount: z.number() });
const countSchema = z.looseObject({ restartCount: z.number() });
const trafficSchema = z.object({ requests: z.number(), errors: z.number(), seconds: z.number(), timed: z.number() });
const switchSchema = z.looseObject({ before: trafficSchema, baseline: trafficSchema.optional() });

/** The containers as they were when they were found good; the steps that did so have left it in the journal. */
function beforeOf(run: RunView): readonly ContainerView[] {
  return [
    { service: "web", step: "warm" },
    { service: "cron", step: "cron-start" },
  ].map(({ service, step }) => ({
    service,
    state: "running",
    restartCount: countSchema.safeParse(run.resultOf(step)).data?.restartCount ?? 0,
    oomKilled: false,
  }));
}

function trafficOfRun(run: RunView): { readonly before: Traffic; readonly baseline: Traffic | undefined } {
  const result = switchSchema.parse(run.resultOf("switch"));
  return { before: result.before, baseline: result.baseline };
}

function sinceSwitch(context: SwapContext, before: Traffic, sample: Awaited<ReturnType<typeof sampleTraffic>>): Traffic | undefined {
  return sample === undefined ? undefined : trafficBetween(before, sample[context.colour]);
}

async function keep(context: SwapContext, rounds: readonly (readonly ProbeResult[])[], verdict: Verdict): Promise<string> {
  const kept = rounds.filter((round, index) => index >= rounds.length - KEPT_GOOD_ROUNDS || round.some((probe) => probe.verdict === "fail"));
  return await writeEvidence(context, "bake", { colour: context.colour, release: context.release.id, verdict, rounds: kept });
}

async function lost(context: SwapContext, rounds: readonly (readonly ProbeResult[])[], verdict: Verdict): Promise<MillwrightError> {
  const evidence = await keep(context, rounds, verdict);
  const container =
    verdict.rule === "container" ? await containerOf(context, context.colour, verdict.detail.includes("cron container") ? "cron" : "web") : undefined;
  const details = container === undefined ? [] : await lastLogLines(context, container);
  return new MillwrightError("RELEASE_UNHEALTHY", `Release ${context.release.id} lost its bake: ${verdict.detail}.`, {
    subject: context.colour,
    details: [...details, `Evidence on the host: ${evidence}`],
    hint: "The release before serves again. Mend the release, build a new one, and upgrade to that.",
  });
}
