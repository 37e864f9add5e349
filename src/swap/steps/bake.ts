import * as z from "zod";
import type { RunView, StepCode } from "../../kernel/run-plan.ts";
import { containerOf, targetOf } from "../colour-view.ts";
import { completed, readBaseline } from "../evidence.ts";
import { NO_TRAFFIC } from "../metrics.ts";
import { loginPageProbe } from "../probes/login-page.ts";
import { trafficSchema } from "../series.ts";
import type { SwapContext } from "../swap-context.ts";
import { waitUntil } from "../wait-until.ts";
import { foundGood } from "../found-good.ts";
import { watchRelease } from "../watch-release.ts";
import { activeNow } from "./switch.ts";

/** The new colour serves users under watch, while the old one still runs: losing this is one rename away from how it was. */
export const bake: StepCode<SwapContext> = {
  async do(context, _step, run) {
    await settleAfterReboot(context, run);
    const { switchedAt, old, counted } = switchSchema.parse(run.resultOf("switch"));
    const baseline = await readBaseline(context);
    return {
      ...(await watchRelease(context, run, {
        step: "bake",
        series: "series",
        what: "bake",
        expected: activeNow(context),
        policy: context.stack.facts.swap,
        baseline: completed(baseline, old, switchedAt),
        before: [foundGood(run, "web", "warm"), foundGood(run, "cron", "cron-start")],
        since: switchedAt,
        counted: counted ?? NO_TRAFFIC,
      })),
    };
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

const startSchema = z.looseObject({ startedAt: z.string(), restartCount: z.number() });
/** What the step has left in the journal. */
const switchSchema = z.looseObject({ switchedAt: z.number(), old: trafficSchema.optional(), counted: trafficSchema.optional() });
