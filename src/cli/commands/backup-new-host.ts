import * as z from "zod";
import type { CliContext } from "../context.ts";
import { confirmByName } from "../confirm.ts";
import type { CommandResult } from "../output.ts";
import type { CommonOptions } from "../program.ts";
import { loadTarget } from "../target.ts";
import { backupRestoreCommand } from "./backup.ts";
import { deployCommand } from "./deploy.ts";
import { hostBootstrapCommand } from "./host-bootstrap.ts";
import { upgradeCommand } from "./upgrade.ts";

const restoredSchema = z.object({ plan: z.object({ context: z.object({ release: z.object({ id: z.string() }) }) }) });

interface Options extends CommonOptions {
  readonly env?: string;
  readonly confirm?: string;
}

/**
 * The worst day: a bare VM, the repository of the backups and the site's folder give the plant back. Each part can be run again by itself, and so can
 * all of it: what is done already is seen to be done.
 */
export async function restoreToNewHost(options: Options, context: CliContext): Promise<CommandResult> {
  const { environment } = await loadTarget(options, context);
  await confirmByName(`Make ${environment.host.address} the host of ${environment.stack}, from its backups?`, environment.stack, options.confirm, context);
  const agreed = { ...options, toNewHost: false, yes: true };
  const parts: Record<string, unknown> = {};
  const part = async (name: string, run: () => Promise<CommandResult>): Promise<CommandResult> => {
    context.output.say(`\n${name}`);
    const result = await run();
    parts[name] = result.data;
    context.output.say(result.text);
    return result;
  };
  await part("host bootstrap", () => hostBootstrapCommand(agreed, context));
  await part("deploy", () => deployCommand(agreed, context));
  const restored = await part("backup restore", () => backupRestoreCommand({ ...agreed, to: "now", confirm: environment.stack }, context));
  const { release } = restoredSchema.parse(restored.data).plan.context;
  const served = await part("upgrade", () => upgradeCommand({ ...agreed, release: release.id }, context));
  return { data: parts, text: served.text };
}
