import { checkHost } from "../../bootstrap/bootstrap-host.ts";
import { deployKeys, openConnection } from "../host-link.ts";
import type { Run } from "../program.ts";
import { loadTarget } from "../target.ts";
import { AGENT_FILE, describeChanges, type HostCommandOptions } from "./host-bootstrap.ts";

export const hostCheckCommand: Run<HostCommandOptions> = async (options, context) => {
  const target = await loadTarget(options, context);
  const { environment } = target;
  context.output.say(`Connecting to ${environment.host.admin}@${environment.host.address} …`);
  await using connection = await openConnection(target, environment.host.admin, options, context);
  const changes = await checkHost({
    environment,
    deployKeys: await deployKeys(options.deployKey ?? [], options, context),
    connection,
    agentFile: AGENT_FILE,
    events: context.output.events(),
    clock: context.clock,
    signal: context.signal,
  });
  const text =
    changes.length === 0
      ? `${environment.host.address} is as it should be.`
      : `Bootstrap would change on ${environment.host.address}:\n${describeChanges(changes)}\nNext: millwright host bootstrap`;
  return { data: { changes }, text, exit: changes.length === 0 ? 0 : 3 };
};
