import { timestamp } from "../../kernel/clock.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { Secret } from "../../kernel/secret.ts";
import { lifeGuard } from "../colour-view.ts";
import { frontRequest, proveFront } from "../front.ts";
import { closePreview, goSaidBy, openPreview } from "../preview-file.ts";
import { cookieOf, linkPath, type Preview, PREVIEW_HEADER, testerHeader } from "../preview-routes.ts";
import { fail, type Finding, pass } from "../probes/probe.ts";
import type { SwapContext } from "../swap-context.ts";
import { waitUntil } from "../wait-until.ts";
import { withHeaders } from "../with-headers.ts";
import { trafficOf, writeTraffic } from "../write-traffic.ts";
import { activeBefore, backToBefore } from "./switch.ts";

const SECRET_BYTES = 16;
const LINK_SECONDS = 5;
const LOOK_MILLISECONDS = 1000;
const PROGRESS_MILLISECONDS = 60_000;

/**
 * Testers meet the new release, and nobody else does, until a person says go. With that, and undone, everybody is on the old one again: what
 * comes next begins as if nobody had been led.
 */
export const preview: StepCode<SwapContext> = {
  async do(context, { id, waitSeconds }, { signal }) {
    const before = activeBefore(context);
    if (before === undefined || waitSeconds === undefined) throw new Error("a preview needs a release that serves, and a time to wait");
    const { clock, colour, paths, run } = context;
    const shown: Preview = { colour, run, secret: new Secret(Buffer.from(context.random(SECRET_BYTES)).toString("hex")) };
    const switchId = `${run}-preview`;
    await writeTraffic(paths, trafficOf(context.stack, { colour: before.colour, switchId, preview: shown }));
    await proveFront(context, { expected: { colour: before.colour, switchId }, page: false, signal });
    const tester = { ...context, http: withHeaders(context.http, testerHeader(shown)) };
    await proveFront(tester, { expected: { colour, switchId }, page: true, old: before.colour, signal });
    await proveLink(context, shown, signal);

    const began = clock.now();
    const [since, until] = [timestamp(clock), new Date(began + waitSeconds * 1000).toISOString()];
    const link = `https://${context.stack.facts.domain}${linkPath(shown)}`;
    await openPreview(paths, run, { since, until, link, header: `${PREVIEW_HEADER}: ${shown.secret.reveal()}` });
    context.events.emit({ kind: "preview", at: since, id, colour, until });
    const who = await waitForGo(context, { id, began, waitSeconds }, signal);
    await backToBefore(context);
    await closePreview(paths, run);
    const waitedSeconds = Math.round((clock.now() - began) / 1000);
    return { by: who, waitedSeconds, summary: `${who} said go after ${waitedSeconds} s` };
  },
  async undo(context) {
    await backToBefore(context);
    await closePreview(context.paths, context.run);
  },
};

/** Who said go. Throws when nobody does in time, and when there is nothing to look at any more. */
async function waitForGo(
  context: SwapContext,
  wait: { readonly id: string; readonly began: number; readonly waitSeconds: number },
  signal: AbortSignal,
): Promise<string> {
  const { clock, colour, events, paths, run } = context;
  const { id, began, waitSeconds } = wait;
  const alive = lifeGuard(context, colour, "web");
  let tellAt = began;
  for (;;) {
    signal.throwIfAborted();
    const who = await goSaidBy(paths, run);
    if (who !== undefined) return who;
    await alive();
    const now = clock.now();
    if (now >= began + waitSeconds * 1000) throw expired(context, waitSeconds);
    if (now >= tellAt) {
      events.emit({ kind: "progress", at: timestamp(clock), id, done: Math.floor((now - began) / 1000), total: waitSeconds, unit: "seconds" });
      tellAt = now + PROGRESS_MILLISECONDS;
    }
    await clock.sleep(LOOK_MILLISECONDS, signal);
  }
}

/** That a headers middleware may set a cookie on the answer of one that redirects is Traefik's own affair: nobody is given a link that was not tried. */
async function proveLink(context: SwapContext, shown: Preview, signal: AbortSignal): Promise<void> {
  await waitUntil({
    what: "the link of the preview leads testers",
    clock: context.clock,
    signal,
    seconds: LINK_SECONDS,
    pollMilliseconds: 100,
    alive: async () => {},
    look: async (): Promise<Finding> => {
      const { status, headers } = await context.http.ask(frontRequest(context, linkPath(shown)));
      const isGiven = headers["set-cookie"]?.startsWith(`${cookieOf(shown)};`) === true;
      return status === 302 && isGiven ? pass("leads") : fail(`it answered ${status} ${isGiven ? "with" : "without"} its cookie`);
    },
  });
}

function expired({ release }: SwapContext, waitSeconds: number): MillwrightError {
  return new MillwrightError("PREVIEW_EXPIRED", `Nobody said within ${waitSeconds} s that release ${release.id} may go on.`, {
    subject: release.id,
    hint: "Preview it again with `millwright upgrade --preview`; `swap.preview.for` in site.yaml gives testers longer.",
  });
}
