import type { ContainerState, Docker } from "./docker.ts";
import { findContainer } from "./find-container.ts";
import type { Clock } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { redact } from "../kernel/secret.ts";

const POLL_MILLISECONDS = 250;
/** A service without a health check counts as up when it has run this long. */
const STEADY_MILLISECONDS = 2000;
const RESTARTS_THAT_ARE_A_LOOP = 3;
const LOG_LINES = 15;

interface Options {
  readonly docker: Docker;
  readonly clock: Clock;
  readonly project: string;
  readonly service: string;
  readonly limitSeconds: number;
  readonly signal: AbortSignal;
  /** Called about once a second. */
  readonly onSecond: (seconds: number) => void;
}

/** Waits until a service is healthy. Throws SERVICE_UNHEALTHY, with the service's last words, as soon as it is known that it will not be. */
export async function waitForHealth(options: Options): Promise<ContainerState> {
  const { docker, clock, project, service } = options;
  const begun = clock.now();
  let told = 0;
  for (;;) {
    const container = await findContainer(docker, project, service);
    const elapsed = clock.now() - begun;
    if (container !== undefined && isUp(container, elapsed)) return container;
    const why = container === undefined ? "has no container" : whyHopeless(container);
    if (why !== undefined) throw await unhealthy(options, container, why);
    if (elapsed >= options.limitSeconds * 1000) throw await unhealthy(options, container, `is not healthy after ${options.limitSeconds} s`);
    if (elapsed - told >= 1000) {
      told = elapsed;
      options.onSecond(Math.floor(elapsed / 1000));
    }
    await clock.sleep(POLL_MILLISECONDS, options.signal);
  }
}

function isUp(container: ContainerState, elapsed: number): boolean {
  if (container.state !== "running") return false;
  return container.health === "healthy" || (container.health === "none" && elapsed >= STEADY_MILLISECONDS);
}

function whyHopeless(container: ContainerState): string | undefined {
  if (container.oomKilled) return "was ended for want of memory";
  if (container.state === "exited" || container.state === "dead") return `ended with ${container.exitCode}`;
  const isRestarting = container.state === "restarting" && container.exitCode !== 0;
  if (container.restartCount >= RESTARTS_THAT_ARE_A_LOOP)
    return isRestarting ? `ends again and again (last with ${container.exitCode})` : "ends again and again";
  // While a container waits for its restart, the engine calls it unhealthy as well, which would hide that it ended.
  return container.state === "running" && container.health === "unhealthy" ? "fails its health check" : undefined;
}

async function unhealthy(options: Options, container: ContainerState | undefined, why: string): Promise<MillwrightError> {
  const lines = container === undefined ? [] : await options.docker.logs(container.id, LOG_LINES);
  const { service } = options;
  return new MillwrightError("SERVICE_UNHEALTHY", `Service ${service} ${why}.`, {
    subject: service,
    hint: `Run \`millwright logs ${service}\`.`,
    details: lines.map(redact),
  });
}
