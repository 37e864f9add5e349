import { readSiteFolder, siteFolderHash } from "../recovery/site-folder.ts";
import { peopleOf, readRecipients } from "../secrets/recipients.ts";
import type { PlanReply } from "./ask-plan.ts";
import type { CliContext } from "./context.ts";
import type { HostLink } from "./host-link.ts";
import type { Target } from "./target.ts";

/** The site folder goes to the host, encrypted to people only, where each backup takes it along; one that is there already does not travel. */
export async function bringSite(link: HostLink, { site, environment }: Target, { siteKept }: Pick<PlanReply, "siteKept">, context: CliContext): Promise<void> {
  if (siteKept === undefined) return;
  const folder = await readSiteFolder(site);
  const hash = siteFolderHash(folder);
  if (hash === siteKept) return;
  const recipients = await readRecipients(site.directory);
  // Encryption is loaded only when it comes to that.
  const { sealSiteFolder } = await import("../recovery/site-archive.ts");
  const archive = await sealSiteFolder(folder, peopleOf(recipients));
  await link.call("site-keep", [environment.stack], { payload: { hash, hasRecoveryKey: recipients.recovery !== undefined, archive } });
  context.output.say("The next backup holds the site folder as it is now.");
}
