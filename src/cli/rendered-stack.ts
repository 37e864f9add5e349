import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Blueprint } from "../blueprint/blueprint.ts";
import { readImageLock, type ImageLock } from "../blueprint/image-lock.ts";
import { loadBlueprint } from "../blueprint/load-blueprint.ts";
import type { Override } from "../blueprint/merge-override.ts";
import { renderStack } from "../blueprint/render-stack.ts";
import type { Stack } from "../blueprint/stack.ts";
import { type SecretNeed, secretNeeds } from "../blueprint/secret-names.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { namesIn, readIfThere } from "../kernel/durable-file.ts";
import { isComplete } from "../secrets/is-complete.ts";
import { readRecipients } from "../secrets/recipients.ts";
import { readVaultFile } from "../secrets/vault-file.ts";
import { pemFiles } from "../site/site.ts";
import type { CliContext } from "./context.ts";
import { identityFile } from "./own-identity.ts";
import { PACKAGE_DIRECTORY } from "./package-directory.ts";
import type { Target } from "./target.ts";

export function odooBlueprint(): Blueprint {
  return loadBlueprint(join(PACKAGE_DIRECTORY, "blueprints/odoo"));
}

export async function siteLock({ site }: Target): Promise<ImageLock> {
  const text = await readIfThere(site.files.lock);
  if (text === undefined) {
    throw new MillwrightError("IMAGE_NOT_LOCKED", "The site has no images.lock.yaml: nobody knows which bytes its images stand for.", {
      subject: site.files.lock,
      hint: "millwright lock",
    });
  }
  return readImageLock(text);
}

/**
 * The environment's stack, from the site folder alone. Secrets that the blueprint needs and the vault lacks are made first, and the site's
 * own certificate is renewed in time: what is complete is left as it is.
 */
export async function renderedStack(target: Target, context: CliContext): Promise<Stack> {
  const { site, environment } = target;
  const blueprint = odooBlueprint();
  await completeSecrets(target, context, blueprint);
  const certificates: Record<string, string> = {};
  for (const name of pemFiles(environment)) {
    const text = await readIfThere(join(site.directory, name));
    if (text === undefined) {
      throw new MillwrightError("SITE_INVALID", `The certificate file ${name} is not in the site folder.`, {
        subject: name,
        hint: "Get it back from the site's git history, or copy it there.",
      });
    }
    certificates[name] = text;
  }
  const [lock, vault, overrides] = await Promise.all([
    siteLock(target),
    readVaultFile(site.files.vault(environment.name)),
    readOverrides(site.files.overrides),
  ]);
  return renderStack({ environment, blueprint, lock, vault, overrides, certificates });
}

/** Recipients, vault, secrets and certificate of an environment, as far as they can be made. */
export async function completeSecrets(target: Target, context: CliContext, blueprint: Blueprint = odooBlueprint()): Promise<void> {
  const { site, environment } = target;
  const needs = secretNeeds(environment, blueprint);
  const all = needs.map(({ name }) => name);
  if (await isComplete(site, environment, all, context.clock)) return;
  const [{ ensureSiteSecrets }, { ensureIdentity, readIdentity }] = await Promise.all([
    import("../secrets/ensure-site-secrets.ts"),
    import("../secrets/identity.ts"),
  ]);
  const file = identityFile(context);
  // A site that never had secrets gets them, from a new identity if need be; one that has some needs an identity that can open them.
  const isNew = (await readIfThere(site.files.vault(environment.name))) === undefined;
  const identity = isNew ? await ensureIdentity(file) : await readIdentity(file);
  const made = (kind: SecretNeed["from"]): readonly string[] => needs.flatMap(({ name, from }) => (from === kind ? [name] : []));
  const [names, keyPairs] = [made("random"), made("key-pair")];
  const done = await ensureSiteSecrets({ site, environment, names, keyPairs, identity, operator: context.user, clock: context.clock });
  for (const line of done) context.output.say(`${environment.name}: ${line}`);
  await requireSecrets(target, needs);
}

/** What only the operator has cannot be made. */
async function requireSecrets({ site, environment }: Target, needs: readonly SecretNeed[]): Promise<void> {
  const holds = (await readRecipients(site.directory)).holds[environment.name] ?? [];
  const missing = needs.flatMap(({ name }) => (holds.includes(name) ? [] : [name]));
  if (missing.length === 0) return;
  throw new MillwrightError("SECRET_MISSING", `The vault of ${environment.name} lacks ${missing.join(" and ")}, which only you can give.`, {
    subject: missing.join(", "),
    hint: missing.map((name) => `millwright secrets set ${name} ${environment.name}`).join("; "),
  });
}

/** What a folder of overrides may hold beside them. */
const NO_OVERRIDE = /^(?:\..*|README\.md)$/;

async function readOverrides(directory: string): Promise<readonly Override[]> {
  const names = (await namesIn(directory)).filter((name) => !NO_OVERRIDE.test(name)).sort();
  const other = names.find((name) => !name.endsWith(".yaml"));
  if (other !== undefined) {
    throw new MillwrightError("SITE_INVALID", `overrides/${other} is no override: their names end in .yaml.`, {
      subject: `overrides/${other}`,
      hint: "Rename it, or move it out of the folder.",
    });
  }
  return await Promise.all(names.map(async (name) => ({ path: `overrides/${name}`, content: await readFile(join(directory, name), "utf8") })));
}
