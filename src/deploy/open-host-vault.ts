import { messageOf, MillwrightError } from "../kernel/errors.ts";
import type { SecretValues } from "../secrets/fill-secrets.ts";
import { readIdentity } from "../secrets/identity.ts";
import { openVault } from "../secrets/vault.ts";

/** The host's own age identity, made by bootstrap; 0600, root's. */
export const HOST_IDENTITY = "/etc/millwright/age.key";

/** Opens a vault with the host's identity. */
export async function openHostVault(armored: string, identityPath: string = HOST_IDENTITY): Promise<SecretValues> {
  try {
    return await openVault(armored, (await readIdentity(identityPath)).identity);
  } catch (error) {
    if (error instanceof MillwrightError && error.code === "VAULT_INVALID") throw error;
    throw new MillwrightError("VAULT_LOCKED", `The host cannot decrypt the stack's secrets: ${messageOf(error)}`, {
      subject: identityPath,
      hint: "Run `millwright host bootstrap`: it makes the host one of those who can read the vault.",
      cause: error,
    });
  }
}
