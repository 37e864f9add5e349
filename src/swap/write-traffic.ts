import { join } from "node:path";
import type { HostPaths } from "../blueprint/host-paths.ts";
import type { Stack } from "../blueprint/stack.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { readIfThere, writeDurable } from "../kernel/durable-file.ts";
import { readServing } from "./serving.ts";
import { type Active, trafficFile } from "./traffic.ts";

/** Traefik reads .yml; the content is JSON, which it takes as well. */
const FILE = "millwright.yml";

export function trafficPath(paths: Pick<HostPaths, "trafficDynamic">): string {
  return join(paths.trafficDynamic, FILE);
}

/**
 * Puts a configuration in force by one rename out of the sibling folder. A draft inside the watched folder would itself be an event: the
 * rename would then wait for the provider's next throttle period.
 */
export async function writeTraffic(paths: Pick<HostPaths, "trafficDynamic" | "trafficStage">, content: string): Promise<void> {
  const path = trafficPath(paths);
  await writeDurable(path, content, { mode: 0o644, stage: paths.trafficStage });
  if ((await readIfThere(path)) !== content) {
    throw new MillwrightError("TRAFFIC_INVALID", "The routing file on the disk is not the one that was written.", { subject: path });
  }
}

/** The routing table of a stack for what serves now; for a deploy that has changed the routes. */
export async function currentTraffic(stack: Stack, paths: HostPaths): Promise<string> {
  const serving = await readServing(paths);
  return trafficFile(routesOf(stack), serving === undefined ? undefined : { colour: serving.colour, switchId: serving.run });
}

/** The routing table of a stack with that colour active. */
export function trafficOf(stack: Stack, active: Active | undefined): string {
  return trafficFile(routesOf(stack), active);
}

function routesOf(stack: Stack): string {
  const routes = stack.files.find((file) => file.path === "edge/routes.json");
  if (routes === undefined) throw new MillwrightError("TRAFFIC_INVALID", "The stack has no edge/routes.json.", { subject: "edge/routes.json" });
  return routes.content;
}
