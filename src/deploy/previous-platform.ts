import { join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import type { DeployDeps } from "./deploy-deps.ts";
import { readIfThere, removeDurable, writeDurable } from "../kernel/durable-file.ts";
import { previousPlatform } from "./write-files.ts";

/** How long a container that has to go first gets to end. */
const GRACE_SECONDS = 120;

/** Puts the kept compose.yaml back; without one (a first deploy) there is none afterwards. */
export async function restoreCompose(paths: HostPaths): Promise<void> {
  const target = join(paths.platform, "compose.yaml");
  const kept = await keptCompose(paths);
  if (kept === undefined) await removeDurable(target);
  else await writeDurable(target, kept, { mode: 0o640 });
}

/** Makes a service what it was in the kept compose.yaml: brought up from it, or removed if it was not there. */
export async function bringBack(deps: Pick<DeployDeps, "stack" | "paths" | "docker" | "compose">, service: string): Promise<void> {
  const kept = await keptCompose(deps.paths);
  const services = kept === undefined ? {} : z.looseObject({ services: z.record(z.string(), z.unknown()) }).parse(parse(kept)).services;
  if (services[service] === undefined) {
    await removeService(deps, service);
    return;
  }
  await restoreCompose(deps.paths);
  await deps.compose.up(deps.stack, deps.paths.platform, [service]);
}

/** Removes a service's containers, or of these only one. */
export async function removeService(deps: Pick<DeployDeps, "stack" | "docker">, service: string, only?: string): Promise<void> {
  const present = (await deps.docker.containers(deps.stack)).filter((container) => container.service === service);
  for (const { id } of present) {
    if (only !== undefined && id !== only) continue;
    await deps.docker.stop(id, GRACE_SECONDS);
    await deps.docker.remove(id);
  }
}

async function keptCompose(paths: HostPaths): Promise<string | undefined> {
  return await readIfThere(join(previousPlatform(paths), "compose.yaml"));
}
