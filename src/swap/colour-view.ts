import type { Colour } from "../blueprint/stack.ts";
import type { ContainerState } from "../docker/docker.ts";
import { findContainer } from "../docker/find-container.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { redact } from "../kernel/secret.ts";
import { glance } from "./glance.ts";
import type { Target } from "./probes/probe.ts";
import type { SwapDeps } from "./swap-deps.ts";

export type ColourService = "web" | "cron";

const LOG_LINES = 15;

export function projectOf(deps: Pick<SwapDeps, "stack">, colour: Colour): string {
  return `${deps.stack.facts.stack}-${colour}`;
}

/** The container of a colour's service; undefined when there is none. */
export async function containerOf(deps: Pick<SwapDeps, "stack" | "docker">, colour: Colour, service: ColourService): Promise<ContainerState | undefined> {
  return await findContainer(deps.docker, projectOf(deps, colour), service);
}

/** Whether a container is at rest; while it is being restarted it is not. */
export function hasEnded({ state }: ContainerState): boolean {
  return state === "exited" || state === "created" || state === "dead";
}

export async function platformContainer(
  deps: Pick<SwapDeps, "stack" | "docker">,
  service: "edge" | "database" | "prometheus",
): Promise<ContainerState | undefined> {
  return await findContainer(deps.docker, deps.stack.facts.stack, service);
}

/** The container's address in that network of the stack, or in any: the host reaches them all, internal ones too. */
export function addressOf(deps: Pick<SwapDeps, "stack">, container: ContainerState, network: "app" | "data" | "metrics"): string | undefined {
  const wanted = container.addresses[`${deps.stack.facts.stack}_${network}`];
  return [wanted, ...Object.values(container.addresses)].find((address) => address !== undefined && address !== "");
}

export function addressesOf(container: ContainerState | undefined): readonly string[] {
  return Object.values(container?.addresses ?? {}).filter((address) => address !== "");
}

/** The colour's web container as something to ask. Throws while it has no address. */
export async function targetOf(deps: Pick<SwapDeps, "stack" | "docker" | "http">, colour: Colour): Promise<Target> {
  const container = await containerOf(deps, colour, "web");
  const address = container?.state === "running" ? addressOf(deps, container, "app") : undefined;
  if (address === undefined) {
    const state = container === undefined ? "does not exist" : `is ${container.state}`;
    throw new MillwrightError("RELEASE_UNHEALTHY", `The web container of ${colour} ${state}.`, { subject: `${colour}/web` });
  }
  return { http: deps.http, colour, address, domain: deps.stack.facts.domain };
}

/** How old a look at a container may be while something is waited for. */
export const LOOK_MILLISECONDS = 500;

/**
 * Ends a wait soon after there is nothing left to wait for: throws, with the last words of its log, when the container is gone, has
 * ended, or was restarted since the first call.
 */
export function lifeGuard(deps: SwapDeps, colour: Colour, service: ColourService): () => Promise<void> {
  let restarts: number | undefined;
  return glance(deps.clock, LOOK_MILLISECONDS, async () => {
    const container = await containerOf(deps, colour, service);
    restarts ??= container?.restartCount;
    const problem =
      container === undefined
        ? "is gone"
        : container.oomKilled
          ? "ran out of memory"
          : container.state === "exited" || container.state === "dead"
            ? `ended with ${container.exitCode}`
            : container.state === "restarting" || container.restartCount > (restarts ?? 0)
              ? "keeps ending and being restarted"
              : undefined;
    if (problem === undefined) return;
    const details = container === undefined ? [] : await lastLogLines(deps, container);
    throw new MillwrightError("RELEASE_UNHEALTHY", `The ${service} container of ${colour} ${problem}.`, { subject: `${colour}/${service}`, details });
  });
}

export async function lastLogLines(deps: Pick<SwapDeps, "docker">, container: ContainerState, lines: number = LOG_LINES): Promise<readonly string[]> {
  return (await deps.docker.logs(container.id, lines)).map(redact);
}
