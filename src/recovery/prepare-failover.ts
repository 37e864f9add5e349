import { MillwrightError } from "../kernel/errors.ts";
import type { Plan } from "../kernel/plan.ts";
import type { Serving } from "../swap/serving.ts";
import { isFenced, readServed } from "./fenced.ts";
import type { Following } from "./following.ts";
import { newestOffsite } from "./known-backups.ts";
import { planFence, planLift, planTakeover } from "./plan-failover.ts";
import type { Head } from "./plan-recovery.ts";
import type { RecoveryDeps } from "./recovery-deps.ts";

interface Prepared {
  readonly plan: Plan;
  readonly notes: readonly string[];
}

/** Looks at what a host would give up, or take again. */
export async function prepareFence({ stack, paths }: RecoveryDeps, head: Head, serving: Serving | undefined, isLifted: boolean): Promise<Prepared> {
  const { standby } = stack.facts;
  if (standby === undefined)
    throw new MillwrightError("STANDBY_UNKNOWN", "No host follows this one, so the plant would end with it.", { subject: stack.facts.stack });
  if (!isLifted) return { plan: planFence(head, serving?.colour), notes: [`The plant is down from then on, until ${standby} has taken over`] };
  if (!(await isFenced(paths))) throw new MillwrightError("STANDBY_ROLE", "This host is not fenced.", { subject: stack.facts.stack });
  return {
    plan: planLift(head, (await readServed(paths))?.colour),
    notes: [`Only if ${standby} did not take over: two plants that both serve cannot be put together again`],
  };
}

/** Looks at what a standby has. */
export async function prepareTakeover(deps: RecoveryDeps, head: Head, sign?: string): Promise<Prepared> {
  const { follows } = deps.stack.facts;
  if (follows === undefined)
    throw new MillwrightError("STANDBY_ROLE", "This host follows no other, so there is nothing to take over.", { subject: deps.stack.facts.stack });
  const backup = await newestOffsite(deps);
  if (backup === undefined)
    throw new MillwrightError("BACKUP_NOT_FOUND", "The offsite repository tells of no backup, so nobody knows which release served.", { subject: "offsite" });
  return { plan: planTakeover(head, { release: backup.release, backup, sign }), notes: describeLoss(await deps.following()) };
}

/** What a takeover now would lose, as far as this host can know. Pure. */
export function describeLoss(following: Following | undefined): readonly string[] {
  if (following === undefined) return ["The database here does not answer: what it has cannot be told"];
  const { isStreaming, lagSeconds, filesAt } = following;
  const log =
    lagSeconds === undefined ? "nothing has come over yet" : `the last sign of life that came over is ${lagSeconds} s old; what was written after it is lost`;
  return [`${isStreaming ? "It streams now" : "It does not stream now"}: ${log}`, `Files are as of ${filesAt ?? "no moment: they are not all here"}`];
}
