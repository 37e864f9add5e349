import type { HostFacts } from "../host-facts.ts";
import type { Resource } from "../resource.ts";
import type { WantedHost } from "../wanted.ts";

export function packageResources(wanted: WantedHost, facts: HostFacts): readonly Resource[] {
  const tools = ["ca-certificates", "chrony", "iptables", "nftables", "unattended-upgrades"];
  return [
    { group: "packages", kind: "package-database" },
    {
      group: "packages",
      kind: "packages",
      names: [...tools, ...(wanted.dataDisk === undefined ? [] : ["xfsprogs"]), ...(facts.apparmor ? ["apparmor"] : [])],
    },
    { group: "packages", kind: "unit", unit: "chrony.service", active: true },
  ];
}
