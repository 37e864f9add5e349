import { join } from "node:path";
import { bootstrapHost } from "../../bootstrap/bootstrap-host.ts";
import type { Change } from "../../bootstrap/resource.ts";
import { confirm } from "../confirm.ts";
import { deployKeys, openConnection } from "../host-link.ts";
import type { Run } from "../program.ts";
import { hostName } from "../../site/standby.ts";
import { PACKAGE_DIRECTORY } from "../package-directory.ts";
import { type EnvironmentOption, loadTarget } from "../target.ts";
import { countOf } from "../../kernel/count-of.ts";

export interface HostCommandOptions extends EnvironmentOption {
  readonly deployKey?: readonly string[];
}

export const AGENT_FILE = join(PACKAGE_DIRECTORY, "dist/agent.mjs");

export const hostBootstrapCommand: Run<HostCommandOptions> = async (options, context) => {
  const target = await loadTarget(options, context);
  const { site, environment } = target;
  const { host } = environment;
  context.output.say(`Connecting to ${host.admin}@${host.address} …`);
  await using connection = await openConnection(target, host.admin, options, context);
  const result = await bootstrapHost({
    environment,
    deployKeys: await deployKeys(options.deployKey ?? [], options, context),
    connection,
    openNewConnection: async (user) => await openConnection(target, user, options, context),
    agentFile: AGENT_FILE,
    events: context.output.events(),
    clock: context.clock,
    signal: context.signal,
    confirm: async (changes) => {
      context.output.say(describeChanges(changes));
      await confirm(`Make ${countOf(changes.length, "change")} on ${host.address}?`, options, context);
      return true;
    },
  });
  let joined = false;
  if (result.recipient !== null) {
    const [{ ownIdentity }, { addHostRecipient }] = await Promise.all([import("../own-identity.ts"), import("../../secrets/site-secrets.ts")]);
    const { identity } = await ownIdentity(context);
    joined = await addHostRecipient(site.directory, environment.name, result.recipient, identity, hostName(environment));
  }
  const count = result.changed.length;
  const lines = [
    count === 0 ? `${host.address} is as it should be: nothing was changed.` : `${host.address}: ${countOf(count, "change")} made and proven.`,
    ...(joined ? [`The host can open secrets/${environment.name}.age now: commit the secrets folder.`] : []),
    environment.follows === undefined ? "Next: millwright lock, then millwright deploy" : "Next: millwright deploy, then millwright deploy --standby",
  ];
  return { data: { changed: result.changed, recipient: result.recipient, joined }, text: lines.join("\n") };
};

/** One line a change, with what differs below it. */
export function describeChanges(changes: readonly Change[]): string {
  return changes.flatMap((change) => [`  ${change.group.padEnd(9)} ${change.title}`, ...change.diff.map((line) => `            ${line}`)]).join("\n");
}
