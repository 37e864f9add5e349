import * as z from "zod";
import type { RunView } from "../kernel/run-plan.ts";
import type { ContainerView } from "./series.ts";

const countSchema = z.looseObject({ restartCount: z.number() });

/** A container as it was when it was found good; the step that did so has left it in the journal. */
export function foundGood(run: RunView, service: "web" | "cron", step: string): ContainerView {
  return { service, state: "running", restartCount: countSchema.safeParse(run.resultOf(step)).data?.restartCount ?? 0, oomKilled: false };
}
