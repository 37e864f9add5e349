import { join } from "node:path";
import type { Identity } from "../secrets/identity.ts";
import type { CliContext } from "./context.ts";

export function identityFile({ configDirectory }: Pick<CliContext, "configDirectory">): string {
  return join(configDirectory, "identity");
}

/** What the operator opens the vaults with. The encryption is loaded only when it comes to that. */
export async function ownIdentity(context: CliContext): Promise<Identity> {
  const { readIdentity } = await import("../secrets/identity.ts");
  return await readIdentity(identityFile(context));
}
