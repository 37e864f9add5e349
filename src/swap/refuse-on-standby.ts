import type { StackFacts } from "../blueprint/stack.ts";
import { MillwrightError } from "../kernel/errors.ts";

/** Its database takes no writes, and its backups are those of the host that it follows. */
export function refuseOnStandby({ follows, stack }: Pick<StackFacts, "follows" | "stack">): void {
  if (follows === undefined) return;
  throw new MillwrightError("STANDBY_ROLE", `This host follows ${follows}: releases serve, and backups are made, there.`, { subject: stack });
}
