import { timestamp } from "../../kernel/clock.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { containerOf } from "../colour-view.ts";
import { drain as waitForDrain } from "../drain.ts";
import { clearMarker } from "../init-database.ts";
import { type Serving, writeServing } from "../serving.ts";
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
    const { left, milliseconds } = await waitForDrain(context, colour, drainSeconds, signal);
    if (left > 0) {
      const text = `${left} requests still run on ${colour} after drainSeconds (${drainSeconds} s) and will be cut off; users see them fail.`;
      context.events.emit({ kind: "note", at: timestamp(context.clock), level: "warning", text });
    }
    return { left, milliseconds };
  },
};

/** The old colour is stopped and kept: `rollback` only has to start it. */
export const retire: StepCode<SwapContext> = {
  async do(context) {
    const web = await oldWeb(context);
    if (web === undefined || web.state !== "running") return;
    // Websockets stay on the old colour until now; each browser connects anew by itself, with jitter.
    await context.docker.stop(web.id, context.stack.facts.swap.drainSeconds);
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
  const previous = from === undefined || kind === "rollback" ? {} : { previous: { colour: from.serving.colour, release: from.release } };
  return { version: 1, colour, release: release.id, image: release.image, since: timestamp(context.clock), who: context.who, run: context.run, ...previous };
}
