import { armor, Decrypter, Encrypter } from "age-encryption";
import * as z from "zod";
import { canonicalJson } from "../kernel/canonical.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { Secret } from "../kernel/secret.ts";
import type { SecretValues } from "./fill-secrets.ts";

export const secretName = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, "must be lower-case letters, digits and underscores");

const contentSchema = z.record(secretName, z.string());

/**
 * A vault is one armored age file that holds `{name: value}` as JSON: all secrets of an environment, readable by its operators and its host,
 * also with the `age` program alone.
 */
export async function createVault(values: SecretValues, recipients: readonly string[]): Promise<string> {
  if (recipients.length === 0) throw new MillwrightError("INTERNAL", "A vault without recipients could never be opened.");
  const plain = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.reveal()]));
  const encrypter = new Encrypter();
  for (const recipient of new Set(recipients)) encrypter.addRecipient(recipient);
  const encrypted = await encrypter.encrypt(canonicalJson(contentSchema.parse(plain)));
  return armor.encode(encrypted);
}

/** Throws VAULT_LOCKED when the vault is not for this identity, VAULT_INVALID when it is damaged. */
export async function openVault(armored: string, identity: Secret): Promise<SecretValues> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity.reveal());
  const content = contentSchema.safeParse(parseJson(await decrypt(decrypter, decode(armored))));
  // The parser's own words would quote the content.
  if (!content.success) throw damaged("it does not hold names and values");
  return Object.fromEntries(Object.entries(content.data).map(([name, value]) => [name, new Secret(value)]));
}

function decode(armored: string): Uint8Array {
  try {
    return armor.decode(armored);
  } catch (error) {
    throw damaged("it is not an armored age file", error);
  }
}

async function decrypt(decrypter: Decrypter, file: Uint8Array): Promise<string> {
  try {
    return await decrypter.decrypt(file, "text");
  } catch (error) {
    // age-encryption has no error classes; these are its words when no stanza is for the identity.
    if (error instanceof Error && error.message.includes("no identity matched")) {
      throw new MillwrightError("VAULT_LOCKED", "The vault was not encrypted for this identity.", {
        hint: "For a host: run `millwright host bootstrap` to add its recipient. For a person: ask an operator named in secrets/recipients.yaml.",
        cause: error,
      });
    }
    throw damaged("it was changed or cut off after it was written", error);
  }
}

function damaged(why: string, cause?: unknown): MillwrightError {
  return new MillwrightError("VAULT_INVALID", `The vault cannot be read: ${why}.`, { hint: "Get the file back from the site's git history.", cause });
}
