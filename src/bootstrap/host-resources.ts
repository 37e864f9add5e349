import type { HostFacts } from "./host-facts.ts";
import type { Resource } from "./resource.ts";
import { accountResources } from "./resources/accounts.ts";
import { agentResources } from "./resources/agent-files.ts";
import { diskResources } from "./resources/disk.ts";
import { dockerResources } from "./resources/docker.ts";
import { firewallResources } from "./resources/firewall.ts";
import { kernelResources } from "./resources/kernel.ts";
import { packageResources } from "./resources/packages.ts";
import { sshResources } from "./resources/ssh.ts";
import { updateResources } from "./resources/updates.ts";
import type { WantedHost } from "./wanted.ts";

/** Everything the host must have, in the order it is made. What can lock a person out comes last and together, under one guard. */
export function hostResources(wanted: WantedHost, facts: HostFacts): readonly Resource[] {
  return [
    ...packageResources(wanted, facts),
    ...diskResources(wanted),
    ...kernelResources(),
    ...accountResources(wanted),
    ...agentResources(wanted, facts),
    ...dockerResources(wanted, facts),
    ...updateResources(facts),
    ...firewallResources(wanted, facts),
    ...sshResources(wanted, facts),
  ];
}
