import type { Plan } from "../kernel/plan.ts";
import type { StepTable } from "../kernel/run-plan.ts";
import { baseline } from "./steps/baseline.ts";
import { bake } from "./steps/bake.ts";
import { answers, check, image, up, warm } from "./steps/bring-up.ts";
import { canary } from "./steps/canary.ts";
import { cronEnded, cronStart, cronStop } from "./steps/cron.ts";
import { initDatabase, setUp } from "./steps/first.ts";
import { preview } from "./steps/preview.ts";
import { confirm, drain, retire } from "./steps/settle.ts";
import { front, switchTraffic } from "./steps/switch.ts";
import { tidy } from "./steps/tidy.ts";
import { type SwapContext, swapContext } from "./swap-context.ts";
import type { SwapDeps } from "./swap-deps.ts";

/** The code of every step that plans of swaps and rollbacks have, by its kind. */
export const SWAP_STEPS: StepTable<SwapContext> = {
  image,
  baseline,
  "init-database": initDatabase,
  up,
  answers,
  "set-up": setUp,
  "cron-stop": cronStop,
  warm,
  "cron-ended": cronEnded,
  check,
  preview,
  canary,
  switch: switchTraffic,
  front,
  "cron-start": cronStart,
  bake,
  confirm,
  drain,
  retire,
  tidy,
};

/** What `runPlan` needs for a plan of this room. */
export function swapTable(deps: SwapDeps, plan: Plan, run: string): { readonly table: StepTable<SwapContext>; readonly context: SwapContext } {
  return { table: SWAP_STEPS, context: swapContext(deps, plan, run) };
}
