import type { ResourceOf } from "../resource.ts";
import type { Kind } from "./kind.ts";

export const identityKind: Kind<ResourceOf<"identity">> = {
  observe: async ({ path }, { files }) => ((await files.look(path)) === undefined ? [{ title: `make the host's age identity ${path}` }] : []),
  apply: async ({ path }, { identities }) => identities.make(path),
};
