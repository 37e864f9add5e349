import { MillwrightError } from "../kernel/errors.ts";
import { isAgreedTo } from "./confirm.ts";
import type { CliContext } from "./context.ts";
import type { CommonOptions } from "./program.ts";

/** A host that has just booted starts its containers one after the other, and each of them makes a plan stale. */
const PLANS = 5;

/**
 * Plans and carries out by `work`, and once more when the host has changed in between (PLAN_STALE): whoever said yes beforehand said it to
 * the new plan as well. Whoever is asked agreed to the plan that was shown, and is told.
 */
export async function whilePlansHold<T>(options: CommonOptions, context: CliContext, work: () => Promise<T>): Promise<T> {
  for (let left = isAgreedTo(options, context) ? PLANS - 1 : 0; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (left === 0 || !(error instanceof MillwrightError) || error.code !== "PLAN_STALE") throw error;
      context.output.say("The host has changed since the plan was made: planning again …");
    }
  }
}
