import { asMillwrightError, MillwrightError } from "../kernel/errors.ts";

/**
 * What to report when a command fails. After Ctrl-C whatever broke is its consequence and only would confuse; but a command that knew of it says
 * better than anybody what was stopped, what goes on, and how to take it up again.
 */
export function problemOf(error: unknown, interrupt: AbortSignal): MillwrightError {
  if (!interrupt.aborted) return asMillwrightError(error);
  return asMillwrightError(error instanceof MillwrightError && error.code === "INTERRUPTED" ? error : interrupt.reason);
}
