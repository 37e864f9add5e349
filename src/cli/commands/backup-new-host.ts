import * as z from "zod";
import { exists } from "../../kernel/durable-file.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import type { Environment } from "../../site/environment.ts";
import { siteFiles } from "../../site/site.ts";
import type { CliContext } from "../context.ts";
import { confirmByName } from "../confirm.ts";
import { parseHost } from "../fetch-site-archive.ts";
import { inTurn } from "../in-turn.ts";
import type { CommandResult } from "../output.ts";
import type { CommonOptions } from "../program.ts";
import { loadTarget, siteDirectory } from "../target.ts";
import { restoreOnHost } from "./backup.ts";
import { backupSiteCommand, type BackupSiteOptions } from "./backup-site.ts";
import { deployCommand } from "./deploy.ts";
import { hostBootstrapCommand } from "./host-bootstrap.ts";
import { upgradeCommand } from "./upgrade.ts";

const restoredSchema = z.object({ plan: z.object({ context: z.object({ release: z.object({ id: z.string() }) }) }) });

interface Options extends CommonOptions, BackupSiteOptions {
  readonly confirm?: string;
}

/**
 * The worst day: a bare VM, the repository of the backups and the recovery key, or the site's folder, give the plant back. Each part can be run again
 * by itself, and so can all of it: what is done already is seen to be done.
 */
export async function restoreToNewHost(options: Options, context: CliContext): Promise<CommandResult> {
  const site = await siteBack(options, context);
  const { environment } = await loadTarget(options, context);
  refuseOtherHost(options, environment.host);
  await confirmByName(`Make ${environment.host.address} the host of ${environment.stack}, from its backups?`, environment.stack, options.confirm, context);
  const agreed = { ...options, yes: true };
  const { data, text } = await inTurn(context.output, [
    ["host bootstrap", () => hostBootstrapCommand(agreed, context)],
    ["deploy", () => deployCommand(agreed, context)],
    ["backup restore", () => restoreOnHost({ ...agreed, to: "now", confirm: environment.stack }, context)],
    ["upgrade", (restored) => upgradeCommand({ ...agreed, release: restoredSchema.parse(restored).plan.context.release.id }, context)],
  ]);
  return { data: site === undefined ? data : { "backup site": site, ...data }, text };
}

/** The site folder, brought back into a folder that has none; undefined where it is there. */
async function siteBack(options: Options, context: CliContext): Promise<unknown> {
  const directory = siteDirectory(options, context);
  if (await exists(siteFiles(directory).site)) return undefined;
  if (options.host === undefined) {
    throw new MillwrightError("SITE_NOT_FOUND", "There is no site.yaml in this folder, and nobody said which machine is the new host.", {
      subject: directory,
      hint: "Change to the site's folder. Without one: an empty folder, and --host [user@]address --recovery-key FILE.",
    });
  }
  const { data, text } = await backupSiteCommand(options, context);
  context.output.say(text);
  return data;
}

/** The folder says where the stack lives; two answers to that must not pass unseen. */
function refuseOtherHost({ host }: Options, { address }: Environment["host"]): void {
  if (host === undefined || parseHost(host).address === address) return;
  throw new MillwrightError("USAGE", `site.yaml has ${address} for the host, and not what --host says.`, {
    subject: "--host",
    hint: "Put the new address into site.yaml, or leave the flag out.",
  });
}
