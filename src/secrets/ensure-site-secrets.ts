import type { Clock } from "../kernel/clock.ts";
import type { Environment } from "../site/environment.ts";
import type { Site } from "../site/site.ts";
import { ensureOwnCertificate } from "./ensure-own-certificate.ts";
import type { Random } from "./generate.ts";
import type { Identity } from "./identity.ts";
import { hasRecipients, operatorName, writeRecipients } from "./recipients.ts";
import { ensureKeyPairs } from "./key-pair.ts";
import { ensureSecrets } from "./site-secrets.ts";

export interface SiteSecretsOptions {
  readonly site: Site;
  readonly environment: Environment;
  /** Names of those that are made up at random. */
  readonly names: readonly string[];
  /** Names of those that are a key with a certificate. */
  readonly keyPairs?: readonly string[];
  readonly identity: Identity;
  /** Account under whose name a first operator is entered. */
  readonly operator: string;
  readonly clock: Clock;
  readonly random?: Random;
}

/**
 * Makes whatever an environment's stack needs and the site's folder lacks: recipients, vault, secrets, own certificate. Safe to repeat; what
 * exists is kept. Returns what it did, in words.
 */
export async function ensureSiteSecrets(options: SiteSecretsOptions): Promise<readonly string[]> {
  const { site, environment, names, keyPairs = [], identity, clock } = options;
  if (!(await hasRecipients(site.directory))) {
    await writeRecipients(site.directory, { operators: [{ name: operatorName(options.operator), recipient: identity.recipient }], hosts: {}, holds: {} });
  }
  const random = await ensureSecrets(site.directory, environment.name, names, identity.identity, options.random);
  const made = [...random, ...(await ensureKeyPairs(site.directory, environment.name, keyPairs, identity.identity, clock))];
  const certificate = await ensureOwnCertificate(site, environment, identity, clock);
  return [...(made.length === 0 ? [] : [`made secrets for ${environment.name}: ${made.join(", ")}`]), ...certificate];
}
