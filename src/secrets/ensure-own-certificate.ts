import { join } from "node:path";
import type { Clock } from "../kernel/clock.ts";
import type { Environment } from "../site/environment.ts";
import { certificateFiles, siteFiles, type Site } from "../site/site.ts";
import { certificateProblem, RENEW_DAYS } from "./check-certificate.ts";
import type { Identity } from "./identity.ts";
import { issueLeaf, makeAuthority, type Authority } from "./own-ca.ts";
import { readIfThere, writeDurable } from "../kernel/durable-file.ts";
import { peopleOf, readRecipients } from "./recipients.ts";
import { authorityKeyFile, openSiteVault, setSecrets } from "./site-secrets.ts";
import { createVault, openVault } from "./vault.ts";
import { readVaultFile, writeVaultFile } from "./vault-file.ts";

/**
 * For certificates of the kind `ca`: makes the site's authority if there is none, and the environment's certificate if it is absent, for another
 * domain, without its key or near its end. Returns what it did, in words; nothing when all was well.
 */
export async function ensureOwnCertificate(site: Site, environment: Environment, identity: Identity, clock: Clock): Promise<readonly string[]> {
  if (environment.certificate.kind !== "ca") return [];
  const files = certificateFiles(environment);
  const chainFile = join(site.directory, files?.chain ?? "");
  const chain = await readIfThere(chainFile);
  const key = (await openSiteVault(site.directory, environment.name, identity.identity))["tls_key"];
  if (chain !== undefined && key !== undefined && certificateProblem(chain, key, environment.domain, clock, RENEW_DAYS) === undefined) return [];

  const done: string[] = [];
  let authority = await readAuthority(site, identity);
  if (authority === undefined) {
    authority = await createAuthority(site, clock);
    done.push("made the site's own certificate authority: certificates/ca.pem goes into the browsers' trusted authorities");
  }
  const leaf = await issueLeaf({ authority, domain: environment.domain, clock });
  // Key first: cut off here, the next call sees a chain without its key and issues both anew.
  await setSecrets(site.directory, environment.name, { tls_key: leaf.key }, identity.identity);
  await writeDurable(chainFile, leaf.chain);
  return [...done, `issued a certificate for ${environment.domain}`];
}

async function readAuthority(site: Site, identity: Identity): Promise<Authority | undefined> {
  const certificate = await readIfThere(authorityFile(site));
  if (certificate === undefined) return undefined;
  const key = (await openVault(await readVaultFile(authorityKeyFile(site.directory)), identity.identity))["ca_key"];
  return key === undefined ? undefined : { certificate, key };
}

/** The authority's key is for operators only: no host can decrypt it. */
async function createAuthority(site: Site, clock: Clock): Promise<Authority> {
  const domains = [...site.environments.values()].filter(({ certificate }) => certificate.kind === "ca").map(({ domain }) => domain);
  const authority = await makeAuthority({ company: site.company, domains, clock });
  const people = peopleOf(await readRecipients(site.directory));
  await writeVaultFile(authorityKeyFile(site.directory), await createVault({ ca_key: authority.key }, people));
  await writeDurable(authorityFile(site), authority.certificate);
  return authority;
}

function authorityFile(site: Site): string {
  return join(siteFiles(site.directory).certificates, "ca.pem");
}
