import { join } from "node:path";
import { MillwrightError } from "../kernel/errors.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { Environment } from "./environment.ts";
import { offsiteAuthority } from "./offsite.ts";

/** A site folder that was read and found right. */
export interface Site {
  readonly directory: string;
  readonly name: string;
  readonly company: string;
  readonly environments: ReadonlyMap<string, Environment>;
  readonly files: SiteFiles;
}

/** Where everything of a site lies in its folder, as absolute or relative as the folder was given. */
export interface SiteFiles {
  readonly site: string;
  readonly lock: string;
  readonly knownHosts: string;
  readonly releases: string;
  readonly addons: string;
  readonly overrides: string;
  readonly certificates: string;
  readonly secrets: string;
  readonly recipients: string;
  /** Heads of the hosts' journals that this machine has seen: kept out of git. */
  readonly journalHeads: string;
  /** The vault of one environment. */
  vault(environment: string): string;
}

export function siteFiles(directory: string): SiteFiles {
  const secrets = join(directory, "secrets");
  return {
    site: join(directory, "site.yaml"),
    lock: join(directory, "images.lock.yaml"),
    knownHosts: join(directory, "known_hosts"),
    releases: join(directory, "releases"),
    addons: join(directory, "addons"),
    overrides: join(directory, "overrides"),
    certificates: join(directory, "certificates"),
    secrets,
    recipients: join(secrets, "recipients.yaml"),
    journalHeads: join(directory, ".millwright/journal-heads.json"),
    vault: (environment) => join(secrets, `${environment}.age`),
  };
}

/** The named environment; without a name the only one, or production. */
export function environmentOf(site: Site, name: string | undefined): Environment {
  const names = [...site.environments.keys()];
  const chosen = site.environments.get(name ?? (names.length === 1 ? (names[0] ?? "") : "production"));
  if (chosen !== undefined) return chosen;
  const choices = names.join(", ");
  if (name === undefined) {
    throw new MillwrightError("ENVIRONMENT_UNKNOWN", `The site ${site.name} has several environments and none is called production.`, {
      hint: `Name one of: ${choices}`,
    });
  }
  const meant = didYouMean(name, names);
  throw new MillwrightError("ENVIRONMENT_UNKNOWN", `The site ${site.name} has no environment "${name}".`, {
    subject: name,
    hint: meant === undefined ? `Name one of: ${choices}` : `Did you mean ${meant}? There are: ${choices}`,
  });
}

/** All PEM files of the site folder that an environment's stack holds. */
export function pemFiles(environment: Environment): readonly string[] {
  return [...Object.values(certificateFiles(environment) ?? {}), ...[offsiteAuthority(environment)].filter((file) => file !== undefined)];
}

/** Files of the site folder that the environment's certificate is made of; none when it comes by ACME. */
export function certificateFiles(environment: Environment): { readonly chain: string; readonly ca?: string } | undefined {
  switch (environment.certificate.kind) {
    case "acme":
      return undefined;
    case "files":
      return { chain: environment.certificate.chain, ...(environment.certificate.ca === undefined ? {} : { ca: environment.certificate.ca }) };
    case "ca":
      return { chain: `certificates/${environment.name}.pem`, ca: "certificates/ca.pem" };
  }
}
