import { COLOURS, type Colour } from "../../blueprint/stack.ts";
import type { ContainerState } from "../../docker/docker.ts";
import { timestamp } from "../../kernel/clock.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { containerOf, hasEnded, lastLogLines, projectOf } from "../colour-view.ts";
import { jobsUnderWay } from "../jobs-under-way.ts";
import type { SwapContext } from "../swap-context.ts";
import { backToBefore } from "./switch.ts";

const POLL_MILLISECONDS = 100;

/**
 * The scheduled jobs are asked to end; they do so while the new colour is warmed. Its undo is that of the whole handover, so that
 * neither `cron-ended` nor `cron-start` needs one and nothing slow stands between a lost bake and the switch back.
 */
export const cronStop: StepCode<SwapContext> = {
  async do(context) {
    for (const colour of COLOURS) {
      const cron = await runningCron(context, colour);
      // Once only: at a second SIGTERM Odoo drops the job that it is ending.
      if (cron !== undefined) await context.docker.signal(cron.id, "SIGTERM");
    }
    return { asked: true };
  },
  async undo(context, { params }, run) {
    // Users first: a job that takes its time keeps nobody on the new release.
    if (params["after"] === "canary") await backToBefore(context);
    const wasAsked = run.resultOf("cron-stop") !== undefined;
    const from = context.from?.serving.colour;
    for (const colour of COLOURS) {
      if (colour !== context.colour && colour !== from) continue;
      const cron = await runningCron(context, colour);
      // The new colour's own jobs were started after the others had been asked.
      if (cron !== undefined && (!wasAsked || colour === context.colour)) await context.docker.signal(cron.id, "SIGTERM");
      if ((await waitForEnd(context, colour)) !== undefined) await cutOff(context, colour);
    }
    if (from === undefined) return;
    const cron = await containerOf(context, from, "cron");
    if (cron === undefined) await context.compose.up(projectOf(context, from), context.paths.colour(from), ["cron"]);
    else await context.docker.start(cron.id);
  },
};

/** No cron job runs any more: the running one has ended and committed. */
export const cronEnded: StepCode<SwapContext> = {
  async do(context, { params }, { signal }) {
    const began = context.clock.now();
    for (const colour of COLOURS) {
      if ((await waitForEnd(context, colour, signal)) === undefined) continue;
      if (params["patience"] !== "cut")
        throw await tooLong(context, colour, params["after"] === "canary" ? "Whom the canary has led goes back." : "Nobody was moved.");
      await cutOff(context, colour);
    }
    return { milliseconds: context.clock.now() - began };
  },
};

/** The new colour's cron runs. */
export const cronStart: StepCode<SwapContext> = {
  async do(context) {
    const { colour } = context;
    await context.compose.up(projectOf(context, colour), context.paths.colour(colour), ["cron"]);
    let cron = await containerOf(context, colour, "cron");
    // An engine whose disk was full when a container ended goes on listing it as running, and Compose goes by the list.
    if (cron !== undefined && hasEnded(cron)) {
      await context.docker.start(cron.id);
      cron = await containerOf(context, colour, "cron");
    }
    if (cron !== undefined && cron.state === "running") return { restartCount: cron.restartCount };
    const details = cron === undefined ? [] : await lastLogLines(context, cron);
    throw new MillwrightError("RELEASE_UNHEALTHY", `The cron container of ${colour} ${cron === undefined ? "was not made" : `is ${cron.state}`}.`, {
      subject: `${colour}/cron`,
      details,
    });
  },
};

async function runningCron(context: SwapContext, colour: Colour): Promise<ContainerState | undefined> {
  const cron = await containerOf(context, colour, "cron");
  return cron === undefined || hasEnded(cron) ? undefined : cron;
}

/** The container if it still runs after cronSeconds. */
async function waitForEnd(context: SwapContext, colour: Colour, signal?: AbortSignal): Promise<ContainerState | undefined> {
  const deadline = context.clock.now() + context.stack.facts.swap.cronSeconds * 1000;
  for (;;) {
    const cron = await runningCron(context, colour);
    if (cron === undefined || context.clock.now() >= deadline) return cron;
    await context.clock.sleep(POLL_MILLISECONDS, signal);
  }
}

/** For those who cannot wait: who rolls back, and the new colour's jobs when it is taken back. */
async function cutOff(context: SwapContext, colour: Colour): Promise<void> {
  const cron = await runningCron(context, colour);
  if (cron === undefined) return;
  const jobs = await jobsUnderWay(context);
  await context.docker.stop(cron.id, 0);
  const text = `Cut off after cronSeconds (${context.stack.facts.swap.cronSeconds} s): ${jobs} of ${colour}. PostgreSQL rolled back what was not committed.`;
  context.events.emit({ kind: "note", at: timestamp(context.clock), level: "warning", text });
}

async function tooLong(context: SwapContext, colour: Colour, users: string): Promise<MillwrightError> {
  const jobs = await jobsUnderWay(context);
  return new MillwrightError("JOB_RUNNING", `After ${context.stack.facts.swap.cronSeconds} s still under way on ${colour}: ${jobs}. ${users}`, {
    subject: `${colour}/cron`,
    hint: "Upgrade when it has ended, or give it longer with `swap.cron` in site.yaml.",
  });
}
