import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Clock } from "../kernel/clock.ts";
import { Secret } from "../kernel/secret.ts";
import { openSiteVault, setSecrets } from "./site-secrets.ts";
import { KEY, pemKey, SIGNING, subjectOf, validity } from "./own-ca.ts";

/** No browser sees it, and who reads it is told its end by nobody: longer than the machines live. */
const DAYS = 36_500;

/** PEM of a key and of a certificate that it signs itself: for a server whose clients know by something else whose key it is. */
export async function makeKeyPair(name: string, clock: Clock): Promise<Secret> {
  const keys = await webcrypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: subjectOf(name),
    ...validity(clock, DAYS),
    keys,
    signingAlgorithm: SIGNING,
    extensions: [new x509.BasicConstraintsExtension(false, undefined, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true)],
  });
  const key = await pemKey(keys.privateKey);
  return new Secret(`${certificate.toString("pem")}\n${key.reveal()}`);
}

/** Makes those that the vault lacks; returns their names. */
export async function ensureKeyPairs(
  siteDirectory: string,
  environment: string,
  names: readonly string[],
  identity: Secret,
  clock: Clock,
): Promise<readonly string[]> {
  if (names.length === 0) return [];
  const there = await openSiteVault(siteDirectory, environment, identity);
  const missing = names.filter((name) => !Object.hasOwn(there, name));
  if (missing.length === 0) return [];
  const made = await Promise.all(missing.map(async (name) => [name, await makeKeyPair(name, clock)] as const));
  await setSecrets(siteDirectory, environment, Object.fromEntries(made), identity);
  return missing;
}
