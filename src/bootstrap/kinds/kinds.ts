import type { Finding, Resource, ResourceOf } from "../resource.ts";
import type { System } from "../system.ts";
import { account, group, membership, rights } from "./accounts.ts";
import { disk } from "./disk.ts";
import { directory, file, symlink } from "./files.ts";
import { identity } from "./identity.ts";
import type { Kind } from "./kind.ts";
import { packageDatabase, packages } from "./packages.ts";
import { action, live, unit } from "./running.ts";

const KINDS: { readonly [K in Resource["kind"]]: Kind<ResourceOf<K>> } = {
  file,
  directory,
  symlink,
  packages,
  "package-database": packageDatabase,
  group,
  account,
  membership,
  rights,
  unit,
  live,
  action,
  disk,
  identity,
};

export async function observeResource(resource: Resource, system: System): Promise<readonly Finding[]> {
  return await kindOf(resource).observe(resource, system);
}

export async function applyResource(resource: Resource, system: System): Promise<void> {
  await kindOf(resource).apply(resource, system);
}

/** A resource that can only be looked at: nothing of its own would make it so. */
export function isProof(resource: Resource): boolean {
  return resource.kind === "rights" || (resource.kind === "live" && resource.apply === undefined);
}

function kindOf<R extends Resource>(resource: R): Kind<R> {
  return KINDS[resource.kind] as unknown as Kind<R>;
}
