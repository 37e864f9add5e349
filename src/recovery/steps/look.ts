import * as z from "zod";
import { MillwrightError } from "../../kernel/errors.ts";
import type { StepCode, StepResult } from "../../kernel/run-plan.ts";
import { planOf, type RecoveryRun } from "../recovery-context.ts";

/** One failure is none: a worker that has just started may be slow once. */
const PROBE_SECONDS = 20;
const PROBE_PAUSE_MILLISECONDS = 1000;

/** How the release does before what it serves is exchanged for what another one has left. */
export const look: StepCode<RecoveryRun> = {
  async do(run) {
    const { colour } = planOf(run, "restore");
    const failing = colour === undefined ? undefined : (await run.probe(colour))?.map(({ name }) => name);
    if (failing === undefined) return { summary: "it does not run: only its login page will be looked at" };
    return { failing, summary: failing.length === 0 ? "every probe passes" : `fails already: ${failing.join(", ")}` };
  },
};

/** A release that gets along with its own database may not with what another one has left, and its login page does not tell. Nothing where `look` was not in the plan. */
export async function passProbes(run: RecoveryRun, looked: StepResult | undefined, signal: AbortSignal): Promise<void> {
  const { colour, release, servedThen } = planOf(run, "restore");
  const before = z.array(z.string()).safeParse(looked?.["failing"]).data;
  if (colour === undefined || before === undefined) return;
  const deadline = run.clock.now() + PROBE_SECONDS * 1000;
  for (;;) {
    const failing = (await run.probe(colour))?.filter(({ name }) => !before.includes(name)) ?? [{ name: "web container", detail: "does not run" }];
    if (failing.length === 0) return;
    if (run.clock.now() >= deadline) {
      throw new MillwrightError("RELEASE_UNHEALTHY", `Release ${release.id} does not work on what was restored, which is of ${String(servedThen)}.`, {
        subject: release.id,
        details: failing.map(({ name, detail }) => `${name}: ${detail}`),
        hint: `Roll back or upgrade to ${String(servedThen)} first, or take what you need from it: \`--beside\`.`,
      });
    }
    await run.clock.sleep(PROBE_PAUSE_MILLISECONDS, signal);
  }
}
