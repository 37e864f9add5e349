import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseDocument } from "yaml";
import { exists, readIfThere, writeDurable } from "../../kernel/durable-file.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import { openSiteFolder } from "../../recovery/site-archive.ts";
import { ensureIdentity, type Identity, readIdentity } from "../../secrets/identity.ts";
import { operatorName, readRecipients } from "../../secrets/recipients.ts";
import { rekey } from "../../secrets/site-secrets.ts";
import { knownHostName } from "../../site/host-key.ts";
import { loadSite } from "../../site/load-site.ts";
import { environmentOf, type Site } from "../../site/site.ts";
import { siteJsonSchema } from "../../site/site-json-schema.ts";
import { refuseExistingSite, writeSite } from "../../wizard/write-site.ts";
import type { CliContext } from "../context.ts";
import { meetHost, type NewHost, parseHost, siteArchiveIn, siteArchiveOn } from "../fetch-site-archive.ts";
import { identityFile } from "../own-identity.ts";
import type { Run } from "../program.ts";
import { type EnvironmentOption, siteDirectory } from "../target.ts";

export interface BackupSiteOptions extends EnvironmentOption {
  /** On this machine; without it the disk with the backups is looked for on the host. */
  readonly repository?: string;
  readonly recoveryKey?: string;
  readonly host?: string;
  readonly fingerprint?: string;
}

/**
 * An empty folder becomes the site's, from its backups and the recovery key alone. Whoever runs it is an operator of the site afterwards, so that the
 * key can go back into its safe.
 */
export const backupSiteCommand: Run<BackupSiteOptions> = async (options, context) => {
  const directory = siteDirectory(options, context);
  await refuseExistingSite(directory);
  const key = await keyFor(options, context);
  if (options.repository === undefined && options.host === undefined) {
    throw new MillwrightError("USAGE", "Nobody said where the backups are.", {
      subject: "--host",
      hint: "Pass --host with the machine that their disk is mounted on, or --repository with their folder on this one.",
    });
  }
  const named = options.host === undefined ? undefined : parseHost(options.host);
  const host = named === undefined ? undefined : await meetHost(named, options, context);
  const archive = options.repository === undefined && host !== undefined ? await siteArchiveOn(host, options, context) : undefined;
  const folder = await openSiteFolder(archive ?? (await siteArchiveIn(resolve(context.directory, options.repository ?? ""))), key.identity);

  const identity = await ensureIdentity(identityFile(context));
  const files = new Map([...folder, [".millwright/site.schema.json", `${JSON.stringify(siteJsonSchema(), undefined, 2)}\n`]]);
  let name = "";
  let joined = false;
  await writeSite(directory, files, async (draft) => {
    const site = await loadSite(draft);
    if (host !== undefined) await moveTo(site, options.env, { ...host, isUserNamed: named?.isUserNamed === true });
    joined = await joinOperators(site, key, identity, context);
    name = site.name;
  });
  const lines = [
    `The site ${name} is in ${directory}, as the backup held it. Its addons are not among it: a release has its own, and the next one needs them from git.`,
    ...(joined ? [`Your key in ${identityFile(context)} opens its vaults from here on: the recovery key can go back into the safe.`] : []),
    "Whose laptops are lost: take them out of secrets/recipients.yaml, then millwright secrets rekey.",
    "Next: millwright backup restore --to-new-host",
  ];
  return { data: { site: name, directory, files: [...files.keys()], joined }, text: lines.join("\n") };
};

async function keyFor({ recoveryKey }: BackupSiteOptions, context: CliContext): Promise<Identity> {
  if (recoveryKey !== undefined) return await readIdentity(resolve(context.directory, recoveryKey));
  if (await exists(identityFile(context))) return await readIdentity(identityFile(context));
  throw new MillwrightError("IDENTITY_MISSING", "There is nothing to open the backups with: this machine has no identity, and no key was named.", {
    subject: identityFile(context),
    hint: "Type the recovery key into a file, and pass it with --recovery-key FILE.",
  });
}

/** The environment's host is the new one, and its key the pinned one, whatever key a machine of that address showed before. */
async function moveTo(site: Site, environment: string | undefined, to: NewHost & { readonly isUserNamed: boolean }): Promise<void> {
  const { name, host } = environmentOf(site, environment);
  const document = parseDocument(await readFile(site.files.site, "utf8"));
  const at = (key: string): readonly string[] => ["environments", name, "host", key];
  if (host.address !== to.address) document.setIn(at("address"), to.address);
  if (host.port !== to.port) document.setIn(at("port"), to.port);
  if (to.isUserNamed && host.admin !== to.user) document.setIn(at("admin"), to.user);
  await writeDurable(site.files.site, document.toString({ lineWidth: 0 }));

  const pinned = (await readIfThere(site.files.knownHosts)) ?? "";
  const others = pinned.split("\n").filter((line) => line !== "" && line.split(" ")[0] !== knownHostName(to.address, to.port));
  await writeDurable(site.files.knownHosts, `${[...others, to.line].join("\n")}\n`);
}

/** False when this machine's key could open the vaults already. */
async function joinOperators(site: Site, key: Identity, own: Identity, context: CliContext): Promise<boolean> {
  const recipients = await readRecipients(site.directory);
  if (recipients.operators.some(({ recipient }) => recipient === own.recipient)) return false;
  const operators = [...recipients.operators, { name: operatorName(context.user), recipient: own.recipient }];
  await rekey(site.directory, [...site.environments.keys()], { ...recipients, operators }, key.identity);
  return true;
}
