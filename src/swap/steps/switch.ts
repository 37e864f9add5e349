import { MillwrightError } from "../../kernel/errors.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { containerOf, lifeGuard, targetOf } from "../colour-view.ts";
import { writeEvidence } from "../evidence.ts";
import { proveFront } from "../front.ts";
import { NO_TRAFFIC } from "../metrics.ts";
import { loginPageProbe } from "../probes/login-page.ts";
import { sampleTraffic } from "../sample-traffic.ts";
import type { SwapContext } from "../swap-context.ts";
import type { Active } from "../traffic.ts";
import { waitUntil } from "../wait-until.ts";
import { trafficOf, writeTraffic } from "../write-traffic.ts";

/** The instant of the swap: one rename. */
export const switchTraffic: StepCode<SwapContext> = {
  async do(context) {
    const content = trafficOf(context.stack, activeNow(context));
    // Read before the rename: afterwards the new colour's first requests would be part of its starting point.
    const traffic = await sampleTraffic(context);
    await writeTraffic(context.paths, content);
    const from = context.from?.serving.colour;
    return {
      switchedAt: context.clock.now(),
      before: traffic?.[context.colour] ?? NO_TRAFFIC,
      ...(traffic === undefined || from === undefined ? {} : { baseline: traffic[from] }),
    };
  },
  async undo(context) {
    const before = activeBefore(context);
    if (before !== undefined) await ensureAnswers(context, before);
    await writeTraffic(context.paths, trafficOf(context.stack, before));
    await proveFront(context, { expected: before, page: false, signal: new AbortController().signal });
  },
};

/** Users reach the new colour, and its page is good. The decision: from here on a cut-off run goes forward. */
export const front: StepCode<SwapContext> = {
  async do(context, _step, { signal }) {
    const finding = await proveFront(context, { expected: activeNow(context), page: true, signal });
    await writeEvidence(context, "front", finding);
    return { summary: finding.detail };
  },
};

export function activeNow(context: SwapContext): Active {
  return { colour: context.colour, switchId: context.run };
}

function activeBefore(context: SwapContext): Active | undefined {
  const serving = context.from?.serving;
  return serving === undefined ? undefined : { colour: serving.colour, switchId: serving.run };
}

/** Users are only sent back to a colour that is there. As a rule it still runs, and this costs one look. */
async function ensureAnswers(context: SwapContext, active: Active): Promise<void> {
  const web = await containerOf(context, active.colour, "web");
  if (web?.state === "running") return;
  if (web === undefined)
    throw new MillwrightError("RELEASE_UNHEALTHY", `The web container of ${active.colour}, to which users should go back, is gone.`, {
      subject: active.colour,
    });
  await startAndWait(context, active.colour, web.id);
}

/** Starts a stopped web container and waits for its login page. */
export async function startAndWait(context: SwapContext, colour: Active["colour"], id: string): Promise<void> {
  await context.docker.start(id);
  await waitUntil({
    what: `${colour} answers again`,
    clock: context.clock,
    signal: new AbortController().signal,
    seconds: context.stack.facts.swap.readySeconds,
    pollMilliseconds: 100,
    alive: lifeGuard(context, colour, "web"),
    look: async () => await loginPageProbe(await targetOf(context, colour)).look(),
  });
}
