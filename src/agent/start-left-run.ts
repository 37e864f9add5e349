import { type AgentDeps, storeOf } from "./agent-deps.ts";
import { readLock } from "./run-lock.ts";
import { isUnitActive, startUnit } from "./run-unit.ts";
import { eventsSize } from "./verbs/follow-to-end.ts";

/** Longer than whoever has taken the lock may still be about to start the unit, and would cut off a run that was begun meanwhile. */
const GRACE_MILLISECONDS = 15 * 60_000;

/**
 * Starts the run that holds the lock and was never begun, and returns it: what took the lock died, or systemd did not answer it, before the unit was started.
 * No backup would be made until somebody looks. A run that has begun is systemd's to go on with, or was stopped by a person.
 */
export async function startLeftRun(deps: AgentDeps, stack: string): Promise<string | undefined> {
  const lock = await readLock(storeOf(deps, stack).paths);
  if (lock === undefined || deps.clock.now() < Date.parse(lock.since) + GRACE_MILLISECONDS) return undefined;
  if ((await eventsSize(deps, { stack, run: lock.run })) > 0 || (await isUnitActive(deps.shell, stack))) return undefined;
  await startUnit(deps.shell, stack, "start");
  return lock.run;
}
