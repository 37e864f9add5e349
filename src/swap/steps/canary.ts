import * as z from "zod";
import { messageOf, MillwrightError } from "../../kernel/errors.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { isDrawn, OPENS_PAGE, pinCookie } from "../canary-routes.ts";
import { completed, readBaseline } from "../evidence.ts";
import { foundGood } from "../found-good.ts";
import { frontRequest, proveFront } from "../front.ts";
import type { Answer } from "../http.ts";
import { NO_TRAFFIC } from "../metrics.ts";
import { sampleTraffic } from "../sample-traffic.ts";
import type { SwapContext } from "../swap-context.ts";
import { type Active, COLOUR_HEADER } from "../traffic.ts";
import { watchRelease } from "../watch-release.ts";
import { withHeaders } from "../with-headers.ts";
import { trafficOf, writeTraffic } from "../write-traffic.ts";
import { activeBefore, backToBefore } from "./switch.ts";

const DRAW_MILLISECONDS = 5000;
const DRAW_POLL_MILLISECONDS = 100;

/** How many of 100 browsers are on the new colour after a stage, and how many were before it. */
export const canaryParams = z.object({ percent: z.number().int().min(1).max(99), before: z.number().int().min(0).max(98) });
type CanaryParams = z.infer<typeof canaryParams>;

/** Some users meet the new release, under watch, while the old one has all others and the scheduled jobs. Undone, nobody does, whatever the stage. */
export const canary: StepCode<SwapContext> = {
  async do(context, { id, params }, run) {
    const stage = canaryParams.parse(params);
    const active = activeIn(context, stage);
    const { colour, clock } = context;
    // As in the switch: what the new colour was counted for before this reading is forgotten when it comes into use.
    const traffic = await sampleTraffic(context);
    await writeTraffic(context.paths, trafficOf(context.stack, active));
    const since = clock.now();
    const cookie = pinCookie(active.canary);
    const expected = { colour, switchId: active.switchId };
    await proveFront({ ...context, http: withHeaders(context.http, { Cookie: cookie }) }, { expected, page: true, old: active.colour, signal: run.signal });
    await proveDraw(context, active, run.signal);
    const { swap } = context.stack.facts;
    const watched = await watchRelease(context, run, {
      step: id,
      series: `series-${id}`,
      what: `canary at ${stage.percent} %`,
      expected,
      cookie,
      policy: { ...swap, bakeSeconds: swap.canary?.stageSeconds ?? swap.bakeSeconds },
      baseline: completed(await readBaseline(context), traffic?.[active.colour], since),
      before: [foundGood(run, "web", "warm")],
      since,
      counted: (stage.before === 0 ? undefined : traffic?.[colour]) ?? NO_TRAFFIC,
      ...(traffic === undefined ? {} : { old: { colour: active.colour, counted: traffic[active.colour] } }),
    });
    return { ...watched };
  },
  undo: backToBefore,
};

/**
 * The proxy makes the cookie's value in a way of its own: by another than the rules expect, nobody would stay where a page was opened. Only
 * an answer that a colour gave tells: a page of the proxy's own, in the place of a failed one, has no cookie.
 */
async function proveDraw(context: SwapContext, { colour, canary: stage }: CanaryActive, signal: AbortSignal): Promise<void> {
  const { clock, http } = context;
  const request = frontRequest(context, "/web/login");
  const until = clock.now() + DRAW_MILLISECONDS;
  for (;;) {
    const seen = await http.ask({ ...request, headers: { ...request.headers, ...OPENS_PAGE } }).catch((error: unknown) => messageOf(error));
    if (typeof seen !== "string" && isDrawn(seen, stage, colour)) return;
    if (clock.now() >= until) throw undrawn(seen, context.stack.facts.domain);
    await clock.sleep(DRAW_POLL_MILLISECONDS, signal);
  }
}

function undrawn(seen: Answer | string, domain: string): MillwrightError {
  if (typeof seen !== "string" && seen.status === 200 && seen.headers[COLOUR_HEADER] !== undefined)
    return new MillwrightError("TRAFFIC_INVALID", "The proxy gives browsers that open a page no cookie that its own routes would know.", {
      subject: "edge",
      hint: "This version of Traefik makes them in another way: upgrade without `swap.canary`.",
    });
  const detail = typeof seen === "string" ? seen : `/web/login answered ${seen.status}`;
  return new MillwrightError("RELEASE_UNHEALTHY", `Through the front door, as a browser that is drawn: ${detail}.`, {
    subject: domain,
    hint: "Look at `millwright logs edge`.",
  });
}

type CanaryActive = Active & Required<Pick<Active, "canary">>;

function activeIn(context: SwapContext, stage: CanaryParams): CanaryActive {
  const before = activeBefore(context);
  if (before === undefined) throw new Error("a canary needs a release that serves");
  const { colour, run } = context;
  return { colour: before.colour, switchId: `${run}-${stage.percent}`, canary: { colour, run, ...stage } };
}
