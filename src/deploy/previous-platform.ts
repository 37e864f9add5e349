import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import type { DeployDeps } from "./deploy-deps.ts";
import { makeDirectory, readIfThere, removeDurable, textsIn, writeDurable } from "../kernel/durable-file.ts";
import { keptCertificate, previousPlatform } from "./write-files.ts";

/** How long a container that has to go first gets to end. */
const GRACE_SECONDS = 120;

/** Keeps what a deploy replaces in place, so that a failure can go back to it. A first deploy has nothing to go back to. */
export async function keepPresent(paths: HostPaths): Promise<void> {
  const previous = previousPlatform(paths);
  await rm(previous, { recursive: true, force: true });
  await makeDirectory(previous, 0o750);
  const kept = { [join(previous, "compose.yaml")]: join(paths.platform, "compose.yaml"), [keptCertificate(paths)]: paths.certificate };
  for (const [target, source] of Object.entries(kept)) {
    const present = await readIfThere(source);
    if (present !== undefined) await writeDurable(target, present, { mode: 0o640 });
  }
  for (const [path, content] of Object.entries(await textsIn(paths.settings)))
    await writeDurable(join(keptSettings(paths), basename(path)), content, { mode: 0o640 });
}

/** Has Traefik serve what it served before: the certificate that was named then, or none. */
export async function restoreCertificate(paths: HostPaths): Promise<void> {
  const kept = await readIfThere(keptCertificate(paths));
  if (kept === undefined) await removeDurable(paths.certificate);
  else await writeDurable(paths.certificate, kept, { mode: 0o644, stage: paths.trafficStage });
}

/** Makes the settings folder hold what it held before. */
export async function restoreSettings(paths: HostPaths): Promise<void> {
  const kept = Object.entries(await textsIn(keptSettings(paths))).map(([path, content]) => [join(paths.settings, basename(path)), content] as const);
  for (const [path, content] of kept) await writeDurable(path, content, { mode: 0o444 });
  for (const path of Object.keys(await textsIn(paths.settings))) if (!kept.some(([one]) => one === path)) await removeDurable(path);
}

function keptSettings(paths: HostPaths): string {
  return join(previousPlatform(paths), "settings");
}

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
