import { join } from "node:path";
import * as z from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { canonicalJson } from "../kernel/canonical.ts";
import { writeDurable } from "../kernel/durable-file.ts";
import { readState } from "../kernel/read-state.ts";

/** `state/platform.json`: what the last deploy left running, so that the next one can tell our work from that of hands. */
export const platformStateSchema = z.object({
  version: z.literal(1),
  stack: z.string(),
  /** The plan that wrote it. */
  plan: z.string(),
  at: z.string(),
  /** Hash of platform/compose.yaml. */
  compose: z.string(),
  /** Hash of edge/routes.json. */
  routes: z.string(),
  /** Stands for roles, database and passwords: see `provisionId`. */
  provision: z.string(),
  /** Hash of Traefik's file that names the certificate; empty when there is none. */
  certificate: z.string().default(""),
  /** Hashes of what PostgreSQL takes by a reload, by path on the host. */
  settings: z.record(z.string(), z.string()).default({}),
  services: z.record(
    z.string(),
    z.object({
      container: z.string(),
      config: z.string(),
      definition: z.string(),
      /** Compose's own hash of the definition: differs when a person recreated the service from other words. */
      composeHash: z.string(),
      image: z.string(),
      mounts: z.record(z.string(), z.string()),
    }),
  ),
});

export type PlatformState = z.infer<typeof platformStateSchema>;

export const platformStatePath = (paths: HostPaths): string => join(paths.state, "platform.json");
export const previousPlatformStatePath = (paths: HostPaths): string => join(paths.state, "platform.previous.json");

export async function readPlatformState(path: string): Promise<PlatformState | undefined> {
  return await readState(path, platformStateSchema, `Move ${path} away and deploy again.`);
}

export async function writePlatformState(path: string, state: PlatformState): Promise<void> {
  await writeDurable(path, canonicalJson(state), { mode: 0o600 });
}
