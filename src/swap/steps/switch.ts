import { MillwrightError } from "../../kernel/errors.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { containerOf, lifeGuard, targetOf } from "../colour-view.ts";
import { writeEvidence } from "../evidence.ts";
import { proveFront } from "../front.ts";
import { loginPageProbe } from "../probes/login-page.ts";
import { sampleTraffic } from "../sample-traffic.ts";
import type { Traffic } from "../metrics.ts";
import type { SwapContext } from "../swap-context.ts";
import type { Active } from "../traffic.ts";
import { waitUntil } from "../wait-until.ts";
import { trafficOf, writeTraffic } from "../write-traffic.ts";

/** The instant of the swap: one rename. */
export const switchTraffic: StepCode<SwapContext> = {
  async do(context, { params }) {
    const content = trafficOf(context.stack, activeNow(context));
    // The end of the old colour's counts. Traefik drops those of a service that its routes no longer name as soon as they have been read
    // once more: after this, the new colour's begin at zero even if it has served before.
    const traffic = await sampleTraffic(context);
    await writeTraffic(context.paths, content);
    const from = context.from?.serving.colour;
    return {
      switchedAt: context.clock.now(),
      ...(traffic === undefined || from === undefined ? {} : { old: traffic[from] }),
      // After a canary the new colour's counts go on; those by router begin anew, as its pinned routers go.
      ...(traffic === undefined || params["after"] !== "canary" ? {} : { counted: withoutRouters(traffic[context.colour]) }),
    };
  },
  undo: backToBefore,
};

function withoutRouters(traffic: Traffic | undefined): Traffic | undefined {
  return traffic === undefined ? undefined : { ...traffic, routers: {} };
}

/** Everybody is where they were before the run. */
export async function backToBefore(context: SwapContext): Promise<void> {
  const before = activeBefore(context);
  if (before !== undefined) await ensureAnswers(context, before);
  await writeTraffic(context.paths, trafficOf(context.stack, before));
  await proveFront(context, { expected: before, page: false, signal: new AbortController().signal });
}

/** Users reach the new colour, and its page is good. The decision: from here on a cut-off run goes forward. */
export const front: StepCode<SwapContext> = {
  async do(context, _step, { signal }) {
    const old = context.from?.serving.colour;
    const finding = await proveFront(context, { expected: activeNow(context), page: true, ...(old === undefined ? {} : { old }), signal });
    await writeEvidence(context, "front", finding);
    return { summary: finding.detail };
  },
};

export function activeNow(context: SwapContext): Active {
  return { colour: context.colour, switchId: context.run };
}

export function activeBefore(context: SwapContext): Active | undefined {
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
