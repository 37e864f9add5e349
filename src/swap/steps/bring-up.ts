import { join } from "node:path";
import * as z from "zod";
import { exists } from "../../kernel/durable-file.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import type { StepCode, StepResult } from "../../kernel/run-plan.ts";
import { colourProbes } from "../colour-probes.ts";
import { containerOf, lastLogLines, lifeGuard, LOOK_MILLISECONDS, projectOf, targetOf } from "../colour-view.ts";
import { tellCutRequests } from "../cut-requests.ts";
import { drain } from "../drain.ts";
import { writeEvidence } from "../evidence.ts";
import { glance } from "../glance.ts";
import { moveWebsockets } from "../move-websockets.ts";
import { loginPageProbe } from "../probes/login-page.ts";
import { fail, type Finding, pass, type ProbeResult, requestTo, runProbes } from "../probes/probe.ts";
import { websocketProbe } from "../probes/websocket.ts";
import { requireImage } from "../require-image.ts";
import { writeColourRelease } from "../serving.ts";
import type { SwapContext } from "../swap-context.ts";
import { waitUntil } from "../wait-until.ts";
import { warmWorkers } from "../warm-workers.ts";

const POLL_MILLISECONDS = 100;
const IDLE_STOP_SECONDS = 10;
/** While the registry loads, connections stand in the socket's queue: whoever waits long gets the first answer there is. */
const FIRST_ANSWER_MILLISECONDS = 15_000;
const KEPT_LOG_LINES = 500;

/** The image has arrived. */
export const image: StepCode<SwapContext> = {
  async do(context) {
    await requireImage(context, context.release);
  },
};

/** The new colour's web container runs beside the old one. */
export const up: StepCode<SwapContext> = {
  async do(context) {
    const { colour, release } = context;
    await context.materialiseColour(context.stack, colour, release);
    await writeColourRelease(context.paths, colour, release);
    await context.compose.up(projectOf(context, colour), context.paths.colour(colour), ["web"]);
  },
  async undo(context, { id }, { signal }) {
    await keepLogs(context);
    const { colour } = context;
    // Users may have been here already: what they began may end.
    const drained = await drain(context, colour, context.stack.facts.swap.drainSeconds, signal);
    await moveWebsockets(context, colour, id, signal);
    if (!(await exists(join(context.paths.colour(colour), "compose.yaml")))) return;
    // Nothing runs on it any more that is worth its long grace, and a process that hangs would use up all of it.
    const web = await containerOf(context, colour, "web");
    if (web !== undefined && web.state !== "exited") await context.docker.stop(web.id, IDLE_STOP_SECONDS);
    await tellCutRequests(context, colour, drained);
    if (context.kind === "rollback") return;
    await context.compose.down(projectOf(context, colour), context.paths.colour(colour));
    await restoreColour(context);
  },
};

/** Port 8069 answers. */
export const answers: StepCode<SwapContext> = {
  async do(context, _step, { signal }) {
    const { colour, clock } = context;
    const began = clock.now();
    const target = glance(clock, LOOK_MILLISECONDS, () => targetOf(context, colour));
    await waitUntil({
      what: `${colour} answers`,
      clock,
      signal,
      seconds: context.stack.facts.swap.readySeconds,
      pollMilliseconds: POLL_MILLISECONDS,
      alive: lifeGuard(context, colour, "web"),
      look: async () => {
        const web = await target();
        const answer = await web.http.ask(requestTo(web, "/web/health", { timeoutMilliseconds: FIRST_ANSWER_MILLISECONDS }));
        return answer.status === 200 ? pass("answers") : fail(`/web/health answered ${answer.status}`);
      },
    });
    return { milliseconds: clock.now() - began, summary: `after ${seconds(clock.now() - began)} s` };
  },
};

/** Every worker has served a page, 8072 answers, and all probes pass. */
export const warm: StepCode<SwapContext> = {
  async do(context, _step, run) {
    const { signal } = run;
    const { colour, clock } = context;
    const began = clock.now();
    const alive = lifeGuard(context, colour, "web");
    const wait = { clock, signal, seconds: context.stack.facts.swap.readySeconds, pollMilliseconds: POLL_MILLISECONDS, alive };
    const target = await targetOf(context, colour);
    const websocket = websocketProbe(target);
    const others = colourProbes(context, target).filter(({ name }) => name !== websocket.name);
    const pages = async (): Promise<{ readonly warmth: Finding; readonly results: readonly ProbeResult[] }> => {
      const warmth = await waitUntil({ ...wait, what: `all workers of ${colour} are warm`, look: () => warmWorkers(target, context.stack.facts.workers) });
      return { warmth, results: await runProbes(others, colour, clock, context.events) };
    };
    const websockets = async (): Promise<readonly ProbeResult[]> => {
      await waitUntil({ ...wait, what: `${colour} takes websockets`, look: () => websocket.look() });
      return await runProbes([websocket], colour, clock, context.events);
    };
    // Side by side: the websocket process listens some 2 s after the pages do, and all else fits into that.
    const [{ warmth, results: ofPages }, ofWebsockets] = await Promise.all([pages(), websockets()]);
    const results = [...ofPages, ...ofWebsockets];
    const evidence = await writeEvidence(context, "warm", { colour, release: context.release.id, warmth, results });
    // What the old release fails as well is no reason to keep users on it.
    const excused = failingBefore(run.resultOf("baseline"));
    throwIfFailed(
      context,
      results.filter(({ name }) => !excused.includes(name)),
      evidence,
    );
    const web = await containerOf(context, colour, "web");
    const milliseconds = clock.now() - began;
    return { milliseconds, evidence, startedAt: web?.startedAt, restartCount: web?.restartCount ?? 0, summary: `${warmth.detail}, ${results.length} probes` };
  },
};

/** A colour that still runs is good enough to go back to: one look, because every second counts. */
export const check: StepCode<SwapContext> = {
  async do(context) {
    const target = await targetOf(context, context.colour);
    const results = await runProbes([loginPageProbe(target), websocketProbe(target)], context.colour, context.clock, context.events);
    throwIfFailed(context, results, await writeEvidence(context, "check", { colour: context.colour, results }));
  },
};

function failingBefore(result: StepResult | undefined): readonly string[] {
  return z.looseObject({ failing: z.array(z.string()) }).safeParse(result).data?.failing ?? [];
}

function throwIfFailed(context: SwapContext, results: readonly ProbeResult[], evidence: string): void {
  const failed = results.filter((result) => result.verdict === "fail");
  const [first] = failed;
  if (first === undefined) return;
  const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : "";
  throw new MillwrightError(
    "RELEASE_UNHEALTHY",
    `Release ${context.release.id} failed its probes before anyone was moved to it: ${first.name}: ${first.detail}${more}.`,
    {
      subject: context.colour,
      details: [...failed.map((result) => `${result.name}: ${result.detail}`), `Evidence on the host: ${evidence}`],
    },
  );
}

/** The log of a colour that is about to be removed: what a person will ask for first. */
async function keepLogs(context: SwapContext): Promise<void> {
  for (const service of ["web", "cron"] as const) {
    const container = await containerOf(context, context.colour, service);
    if (container !== undefined) await writeEvidence(context, `log-${context.colour}-${service}`, await lastLogLines(context, container, KEPT_LOG_LINES));
  }
}

/** After a swap that did not stay, the other colour is again the place to roll back to. */
async function restoreColour(context: SwapContext): Promise<void> {
  const previous = context.from?.serving.previous;
  if (previous === undefined || previous.colour !== context.colour) {
    await writeColourRelease(context.paths, context.colour, undefined);
    return;
  }
  await context.materialiseColour(context.stack, previous.colour, previous.release);
  await writeColourRelease(context.paths, previous.colour, previous.release);
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}
