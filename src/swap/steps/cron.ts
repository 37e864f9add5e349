import { COLOURS, type Colour } from "../../blueprint/stack.ts";
import { timestamp } from "../../kernel/clock.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { containerOf, lastLogLines, projectOf } from "../colour-view.ts";
import type { SwapContext } from "../swap-context.ts";

/**
 * No cron job runs any more: SIGTERM lets the running one end and commit. Its undo is that of the whole handover, so that
 * `cron-start` needs none and nothing slow stands between a lost bake and the switch back.
 */
export const cronStop: StepCode<SwapContext> = {
  async do(context) {
    const began = context.clock.now();
    for (const colour of COLOURS) await stopCron(context, colour);
    return { milliseconds: context.clock.now() - began };
  },
  async undo(context) {
    await stopCron(context, context.colour);
    const from = context.from?.serving.colour;
    if (from === undefined) return;
    const cron = await containerOf(context, from, "cron");
    if (cron === undefined) await context.compose.up(projectOf(context, from), context.paths.colour(from), ["cron"]);
    else {
      // A stop that a run asked for before it was cut off may be under way in the engine still, and would come after a start.
      await stopCron(context, from);
      await context.docker.start(cron.id);
    }
  },
};

/** The new colour's cron runs. */
export const cronStart: StepCode<SwapContext> = {
  async do(context) {
    const { colour } = context;
    await context.compose.up(projectOf(context, colour), context.paths.colour(colour), ["cron"]);
    const cron = await containerOf(context, colour, "cron");
    if (cron !== undefined && cron.state === "running") return { restartCount: cron.restartCount };
    const details = cron === undefined ? [] : await lastLogLines(context, cron);
    throw new MillwrightError("RELEASE_UNHEALTHY", `The cron container of ${colour} ${cron === undefined ? "was not made" : `is ${cron.state}`}.`, {
      subject: `${colour}/cron`,
      details,
    });
  },
};

async function stopCron(context: SwapContext, colour: Colour): Promise<void> {
  const cron = await containerOf(context, colour, "cron");
  if (cron === undefined || cron.state === "exited" || cron.state === "created" || cron.state === "dead") return;
  const began = context.clock.now();
  const { cronSeconds } = context.stack.facts.swap;
  await context.docker.stop(cron.id, cronSeconds);
  if (context.clock.now() - began >= cronSeconds * 1000) {
    const text = `A cron job of ${colour} ran longer than cronSeconds (${cronSeconds} s) and was cut off: PostgreSQL rolled back its open transaction.`;
    context.events.emit({ kind: "note", at: timestamp(context.clock), level: "warning", text });
  }
}
