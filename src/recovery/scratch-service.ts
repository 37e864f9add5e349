import { findContainer } from "../docker/find-container.ts";
import { waitForHealth } from "../docker/wait-for-health.ts";
import { timestamp } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { Step } from "../kernel/plan.ts";
import { recoveryProject } from "./recovery-deps.ts";
import type { RecoveryRun } from "./recovery-context.ts";

/** Starts a service of the scratch place and waits until it is healthy. */
export async function bringUp(
  run: RecoveryRun,
  step: Step,
  service: "database" | "database-offsite" | "odoo",
  limitSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const project = recoveryProject(run);
  await run.compose.up(project, run.paths.recovery, [service]);
  const { docker, clock, events } = run;
  await waitForHealth({
    docker,
    clock,
    project,
    service,
    limitSeconds,
    signal,
    onSecond: (seconds) => events.emit({ kind: "progress", at: timestamp(clock), id: step.id, done: seconds, unit: "seconds" }),
  });
}

/** Id of its container, which must run. */
export async function scratchContainer(run: RecoveryRun, service: "database" | "odoo"): Promise<string> {
  const found = await findContainer(run.docker, recoveryProject(run), service);
  if (found?.state === "running") return found.id;
  throw new MillwrightError("RESTORE_FAILED", `The scratch place's ${service} does not run.`, { subject: service });
}
