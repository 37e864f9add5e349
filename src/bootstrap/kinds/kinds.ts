import type { Difference, Resource, ResourceOf } from "../resource.ts";
import type { System } from "../system.ts";
import { accountKind, groupKind, membershipKind, rightsKind } from "./accounts.ts";
import { diskKind } from "./disk.ts";
import { directoryKind, fileKind, symlinkKind } from "./files.ts";
import { identityKind } from "./identity.ts";
import type { Kind } from "./kind.ts";
import { packageDatabaseKind, packagesKind } from "./packages.ts";
import { actionKind, liveKind, unitKind } from "./running.ts";

const KINDS: { readonly [K in Resource["kind"]]: Kind<ResourceOf<K>> } = {
  file: fileKind,
  directory: directoryKind,
  symlink: symlinkKind,
  packages: packagesKind,
  "package-database": packageDatabaseKind,
  group: groupKind,
  account: accountKind,
  membership: membershipKind,
  rights: rightsKind,
  unit: unitKind,
  live: liveKind,
  action: actionKind,
  disk: diskKind,
  identity: identityKind,
};

export async function observeResource(resource: Resource, system: System): Promise<readonly Difference[]> {
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
