import * as z from "zod";
import { timestamp } from "../../kernel/clock.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import type { Release } from "../../release/release-file.ts";
import { containerOf, hasEnded } from "../colour-view.ts";
import { tellCutRequests } from "../cut-requests.ts";
import { drain as waitForDrain } from "../drain.ts";
import { clearMarker } from "../init-database.ts";
import { moveWebsockets } from "../move-websockets.ts";
import { type Serving, wayBack, writeServing } from "../serving.ts";
import type { SwapContext } from "../swap-context.ts";
import { startAndWait } from "./switch.ts";

/** It is written down what serves; until then the old release is what the host would name. */
export const confirm: StepCode<SwapContext> = {
  async do(context) {
    await writeServing(context.paths, servingOf(context));
    if (context.from === undefined) await clearMarker(context);
  },
  async undo(context) {
    await writeServing(context.paths, context.from?.serving);
  },
};

/** What users began on the old colour may end there. */
export const drain: StepCode<SwapContext> = {
  async do(context, _step, { signal }) {
    const colour = context.from?.serving.colour;
    if (colour === undefined) return;
    const { drainSeconds } = context.stack.facts.swap;
    const drained = await waitForDrain(context, colour, drainSeconds, signal);
    if (drained.left > 0) {
      const text = `${drained.left} requests still run on ${colour} after drainSeconds (${drainSeconds} s). They have as long again while it stops.`;
      context.events.emit({ kind: "note", at: timestamp(context.clock), level: "info", text });
    }
    return { ...drained };
  },
};

const drainedSchema = z.looseObject({ left: z.number(), milliseconds: z.number(), ended: z.number() });

/** The old colour is stopped and kept: `rollback` only has to start it. */
export const retire: StepCode<SwapContext> = {
  async do(context, { id }, run) {
    const [web, colour] = [await oldWeb(context), context.from?.serving.colour];
    if (web === undefined || colour === undefined) return;
    let moved = 0;
    // One that waits for its restart has not ended: the engine would start it again.
    if (!hasEnded(web)) {
      // They stay on the old colour until somebody closes them.
      moved = await moveWebsockets(context, colour, id, run.signal);
      await context.docker.stop(web.id, context.stack.facts.swap.drainSeconds);
    }
    // Also in a run that was cut off in between.
    const drained = drainedSchema.safeParse(run.resultOf("drain")).data;
    if (drained !== undefined) await tellCutRequests(context, colour, drained);
    return moved === 0 ? {} : { moved, summary: `${moved} websockets moved` };
  },
  async undo(context) {
    const [web, colour] = [await oldWeb(context), context.from?.serving.colour];
    if (web === undefined || colour === undefined || web.state === "running") return;
    await startAndWait(context, colour, web.id);
  },
};

async function oldWeb(context: SwapContext): ReturnType<typeof containerOf> {
  return context.from === undefined ? undefined : await containerOf(context, context.from.serving.colour, "web");
}

function servingOf(context: SwapContext): Serving {
  const { colour, release, from, kind } = context;
  // After a rollback there is no way "back" to the release that was left for a reason.
  const before = from === undefined || kind === "rollback" ? undefined : releaseBefore(from, release);
  const previous = from === undefined || before === undefined ? {} : { previous: { colour: from.serving.colour, release: before } };
  return { version: 1, colour, release: release.id, image: release.image, since: timestamp(context.clock), who: context.who, run: context.run, ...previous };
}

/** New settings of the release that serves leave the way back what it was: to the release before it, which is then brought up anew. */
function releaseBefore(from: NonNullable<SwapContext["from"]>, release: Release): Release | undefined {
  return from.release.image === release.image ? wayBack(from.serving)?.release : from.release;
}
