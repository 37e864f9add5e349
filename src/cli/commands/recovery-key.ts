import { makeIdentity } from "../../secrets/identity.ts";
import { hasRecipients, readRecipients } from "../../secrets/recipients.ts";
import { rekey } from "../../secrets/site-secrets.ts";
import { loadSite } from "../../site/load-site.ts";
import { confirm } from "../confirm.ts";
import { ownIdentity } from "../own-identity.ts";
import type { Run } from "../program.ts";
import { completeSecrets } from "../rendered-stack.ts";
import { siteDirectory } from "../target.ts";

/** Makes the key that opens everything of the site and lies in a safe. It is printed once and kept nowhere. */
export const recoveryKeyCommand: Run<object> = async (options, context) => {
  const site = await loadSite(siteDirectory(options, context));
  if (!(await hasRecipients(site.directory))) for (const environment of site.environments.values()) await completeSecrets({ site, environment }, context);
  const before = await readRecipients(site.directory);
  if (before.recovery !== undefined) {
    await confirm("Replace the recovery key? The one in the safe opens none of the backups to come.", options, context);
  }
  const { identity } = await ownIdentity(context);
  const made = await makeIdentity(`recovery key of the site ${site.name}. Keep it in a safe, not beside the backups.`);
  await rekey(site.directory, [...site.environments.keys()], { ...before, recovery: made.recipient }, identity);
  context.output.say("This is the recovery key. It is shown once and kept nowhere: print it, put it into a safe, and keep no copy on this machine.");
  context.output.say("Commit the secrets folder. Then: millwright deploy, millwright backup run. From that backup on, the key opens them.");
  return { data: { recipient: made.recipient, replaced: before.recovery !== undefined }, text: "", reveal: made.text };
};
