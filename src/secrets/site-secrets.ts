import { join } from "node:path";
import { exists } from "../kernel/durable-file.ts";
import type { Secret } from "../kernel/secret.ts";
import { siteFiles } from "../site/site.ts";
import type { SecretValues } from "./fill-secrets.ts";
import { generateSecret, systemRandom, type Random } from "./generate.ts";
import { peopleOf, readRecipients, recipientsOf, writeRecipients, type Recipients } from "./recipients.ts";
import { createVault, openVault } from "./vault.ts";
import { readVaultFile, writeVaultFile } from "./vault-file.ts";

/** The key of the site's own authority: a vault for operators, which no host can open. No environment can have this name. */
export function authorityKeyFile(siteDirectory: string): string {
  return join(siteFiles(siteDirectory).secrets, "ca-key.age");
}

/** Opens an environment's vault of a site folder. */
export async function openSiteVault(siteDirectory: string, environment: string, identity: Secret): Promise<SecretValues> {
  return openVault(await readVaultFile(siteFiles(siteDirectory).vault(environment)), identity);
}

/**
 * Makes the named secrets that the vault lacks, and the vault if there is none; returns the names made. What exists is kept, and when nothing
 * is missing the file is left alone: encrypting anew changes its bytes, and with them the id of the stack.
 */
export async function ensureSecrets(
  siteDirectory: string,
  environment: string,
  names: readonly string[],
  identity: Secret,
  random: Random = systemRandom,
): Promise<readonly string[]> {
  const path = siteFiles(siteDirectory).vault(environment);
  const isThere = await exists(path);
  const values: SecretValues = isThere ? await openSiteVault(siteDirectory, environment, identity) : {};
  const missing = names.filter((name) => !Object.hasOwn(values, name));
  if (isThere && missing.length === 0) return [];
  const made = Object.fromEntries(missing.map((name) => [name, generateSecret(random)]));
  await encryptFor(siteDirectory, environment, { ...values, ...made });
  return missing;
}

/** Sets secrets to given values, such as a certificate's key. */
export async function setSecrets(siteDirectory: string, environment: string, values: SecretValues, identity: Secret): Promise<void> {
  const before = await openSiteVault(siteDirectory, environment, identity);
  await encryptFor(siteDirectory, environment, { ...before, ...values });
}

/**
 * Lets a host of an environment open its vault, the standby by `hostName`; false when it could already. The vault is written before the list: a run cut off between the two
 * is finished by the next, since the list does not name the host yet.
 */
export async function addHostRecipient(
  siteDirectory: string,
  environment: string,
  recipient: string,
  identity: Secret,
  host: string = environment,
): Promise<boolean> {
  const recipients = await readRecipients(siteDirectory);
  if (recipients.hosts[host] === recipient) return false;
  const wanted: Recipients = { ...recipients, hosts: { ...recipients.hosts, [host]: recipient } };
  await encryptFor(siteDirectory, environment, await openSiteVault(siteDirectory, environment, identity), wanted);
  return true;
}

/**
 * Encrypts every vault of the site anew for exactly these recipients, then writes the list, which is marked meanwhile: what is cut off in between is
 * seen, and finished by the next. Values stay the same: whoever was taken off the list still knows them, so rotate them too.
 */
export async function rekey(siteDirectory: string, environments: readonly string[], recipients: Recipients, identity: Secret): Promise<void> {
  const vaults = [
    ...environments.map((name) => ({ path: siteFiles(siteDirectory).vault(name), recipients: recipientsOf(recipients, name) })),
    { path: authorityKeyFile(siteDirectory), recipients: peopleOf(recipients) },
  ];
  // All are opened before the first is written: a vault that this identity cannot open stops everything.
  const opened: { readonly path: string; readonly recipients: readonly string[]; readonly values: SecretValues }[] = [];
  for (const vault of vaults) {
    if (await exists(vault.path)) opened.push({ ...vault, values: await openVault(await readVaultFile(vault.path), identity) });
  }
  await writeRecipients(siteDirectory, { ...(await readRecipients(siteDirectory)), unfinished: true });
  for (const vault of opened) await writeVaultFile(vault.path, await createVault(vault.values, vault.recipients));
  const { unfinished: _mark, ...whole } = recipients;
  await writeRecipients(siteDirectory, whole);
}

/** Writes the vault, then the list with what it holds. */
async function encryptFor(siteDirectory: string, environment: string, values: SecretValues, wanted?: Recipients): Promise<void> {
  const recipients = wanted ?? (await readRecipients(siteDirectory));
  await writeVaultFile(siteFiles(siteDirectory).vault(environment), await createVault(values, recipientsOf(recipients, environment)));
  await writeRecipients(siteDirectory, { ...recipients, holds: { ...recipients.holds, [environment]: Object.keys(values).sort() } });
}
