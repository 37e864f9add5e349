import type { ContainerState } from "../docker/docker.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { redact } from "../kernel/secret.ts";
import type { StepCode } from "../kernel/run-plan.ts";
import type { DeployContext } from "./deploy-context.ts";
import type { DeployDeps } from "./deploy-deps.ts";
import { EDGE_SERVICE } from "./plan-deploy.ts";
import type { PublishedPort } from "./service-facts.ts";

/**
 * How the proxy itself is renewed without losing a request. Whatever stops it refuses everybody until the next one listens, so a second
 * proxy made from the new definition stands in: new connections are led to it in the kernel (one atomic change of a NAT table) while those
 * that stand keep the proxy that they have; then the proxy is renewed in peace, and new connections are led back. Measured and
 * compared with other ways in docs/decisions/0005-renewing-the-proxy.md.
 */

/** The proxy's own stop_grace_period and a little: it waits that long for websockets. */
const GRACE_SECONDS = 50;
const POLL_MILLISECONDS = 100;
const LOG_LINES = 15;

type Deps = Pick<DeployDeps, "stack" | "paths" | "docker" | "compose" | "clock" | "redirect" | "probeProxy">;

/** The second proxy runs, is healthy, and shows users what the first shows them. */
export const standIn: StepCode<DeployContext> = {
  async do(context, _step, { signal }) {
    const { deps } = context;
    // Left by a run that was cut off, and maybe of another definition.
    await deps.redirect.end();
    await dismiss(deps);
    await start(context, signal);
  },
  undo: ({ deps }) => dismiss(deps),
};

/** New connections go to the stand-in. */
export const leadAway: StepCode<DeployContext> = {
  do: (context) => lead(context),
  undo: ({ deps }) => deps.redirect.end(),
};

/** New connections go to the renewed proxy; the stand-in ends when those that it has have ended. */
export const leadBack: StepCode<DeployContext> = {
  async do({ deps }) {
    await deps.redirect.end();
    await dismiss(deps);
  },
  // A later step failed, and the proxy is about to be made what it was: that too must cost nobody a request.
  async undo(context, _step, { signal }) {
    if ((await standInOf(context.deps))?.state !== "running") {
      await dismiss(context.deps);
      await start(context, signal);
    }
    await lead(context);
  },
};

async function start(context: DeployContext, signal: AbortSignal): Promise<void> {
  const { deps } = context;
  const ports = portsOf(context).map((port) => port.target);
  await deps.compose.runBeside(deps.stack, deps.paths.platform, EDGE_SERVICE, nameOf(deps), ports);
  const limitSeconds = context.desired.services[EDGE_SERVICE]?.healthSeconds ?? 60;
  const deadline = deps.clock.now() + limitSeconds * 1000;
  for (;;) {
    const container = await standInOf(deps);
    if (container?.state === "running" && container.health === "healthy") break;
    const isOver = container === undefined || container.state !== "running" || container.health === "unhealthy";
    if (isOver || deps.clock.now() >= deadline) throw await refused(deps, container, isOver ? "does not stay up" : `is not healthy after ${limitSeconds} s`);
    await deps.clock.sleep(POLL_MILLISECONDS, signal);
  }
  const container = await standInOf(deps);
  const port = portsOf(context).find((published) => published.port === 443)?.target ?? 443;
  const problem = await deps.probeProxy({ domain: context.stack.facts.domain, address: addressOf(deps, container), port });
  if (problem !== undefined) throw await refused(deps, container, problem);
}

async function lead(context: DeployContext): Promise<void> {
  const { deps } = context;
  const address = addressOf(deps, await standInOf(deps));
  await deps.redirect.begin(portsOf(context).map(({ address: asked, port, target }) => ({ asked, port, address, target })));
}

function portsOf({ desired }: DeployContext): readonly PublishedPort[] {
  return desired.services[EDGE_SERVICE]?.ports ?? [];
}

function nameOf({ stack }: Pick<Deps, "stack">): string {
  return `${stack}-${EDGE_SERVICE}-stand-in`;
}

async function standInOf(deps: Pick<Deps, "docker" | "stack">): Promise<ContainerState | undefined> {
  return (await deps.docker.allContainers()).find((container) => container.name === nameOf(deps));
}

/** In the network whose ports are published: there the engine lets connections from outside through. */
function addressOf(deps: Pick<Deps, "stack">, container: ContainerState | undefined): string {
  const address = container?.addresses[`${deps.stack}_${EDGE_SERVICE}`];
  if (address !== undefined && address !== "") return address;
  throw new MillwrightError("SERVICE_UNHEALTHY", "The proxy's stand-in has no address.", { subject: EDGE_SERVICE });
}

async function dismiss(deps: Pick<Deps, "docker" | "stack">): Promise<void> {
  const container = await standInOf(deps);
  if (container === undefined) return;
  await deps.docker.stop(container.id, GRACE_SECONDS);
  await deps.docker.remove(container.id);
}

async function refused(deps: Pick<Deps, "docker">, container: ContainerState | undefined, why: string): Promise<MillwrightError> {
  const lines = container === undefined ? [] : await deps.docker.logs(container.id, LOG_LINES);
  return new MillwrightError("SERVICE_UNHEALTHY", `The new proxy was tried beside the one that serves, and ${why}. Nobody was moved to it.`, {
    subject: EDGE_SERVICE,
    details: lines.map(redact),
    hint: "Mend what its log says, then deploy again.",
  });
}
