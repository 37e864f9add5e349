import * as z from "zod";
import { canonicalJson } from "../kernel/canonical.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { Secret } from "../kernel/secret.ts";
import { damaged, seal, type SealedWords, unseal } from "./age.ts";
import type { SecretValues } from "./fill-secrets.ts";

export const secretName = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, "must be lower-case letters, digits and underscores");

const contentSchema = z.record(secretName, z.string());

const WORDS: SealedWords = {
  name: "The vault",
  locked: "For a host: run `millwright host bootstrap` to add its recipient. For a person: ask an operator named in secrets/recipients.yaml.",
  damaged: "Get the file back from the site's git history.",
};

/**
 * A vault is one armored age file that holds `{name: value}` as JSON: all secrets of an environment, readable by its operators and its host,
 * also with the `age` program alone.
 */
export async function createVault(values: SecretValues, recipients: readonly string[]): Promise<string> {
  const plain = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.reveal()]));
  return await seal(canonicalJson(contentSchema.parse(plain)), recipients);
}

/** Throws VAULT_LOCKED when the vault is not for this identity, VAULT_INVALID when it is damaged. */
export async function openVault(armored: string, identity: Secret): Promise<SecretValues> {
  const text = Buffer.from(await unseal(armored, identity, WORDS)).toString("utf8");
  const content = contentSchema.safeParse(parseJson(text));
  // The parser's own words would quote the content.
  if (!content.success) throw damaged(WORDS, "it does not hold names and values");
  return Object.fromEntries(Object.entries(content.data).map(([name, value]) => [name, new Secret(value)]));
}
