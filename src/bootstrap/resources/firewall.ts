import { sha256 } from "../../kernel/canonical.ts";
import type { HostFacts } from "../host-facts.ts";
import type { Resource } from "../resource.ts";
import type { WantedHost } from "../wanted.ts";
import { FIREWALL_FILE } from "../guard-files.ts";

export const FIREWALL_UNIT = "millwright-firewall.service";

export function firewallResources(wanted: WantedHost, facts: HostFacts): readonly Resource[] {
  const rules = firewallRules(wanted, facts);
  return [
    { group: "firewall", kind: "file", path: `/etc/systemd/system/${FIREWALL_UNIT}`, mode: 0o644, content: UNIT, triggers: ["firewall-unit"] },
    { group: "firewall", kind: "action", name: "firewall-unit", title: "let systemd read the firewall's unit", words: [["systemctl", "daemon-reload"]] },
    { group: "firewall", kind: "file", path: FIREWALL_FILE, mode: 0o644, content: rules, validate: ["nft", "-c", "-f", "{}"], guarded: true },
    {
      group: "firewall",
      kind: "live",
      title: "load the firewall's rules",
      look: ["nft", "list", "table", "inet", "millwright"],
      texts: [mark(rules)],
      apply: ["nft", "-f", FIREWALL_FILE],
      guarded: true,
    },
    { group: "firewall", kind: "unit", unit: FIREWALL_UNIT, active: true },
  ];
}

/**
 * One table of our own, for both families, loaded whole and before the network is up. Docker's published ports never pass `input`: they are
 * translated and forwarded, so `forward` judges them by the port that was asked for. A drop here is final whatever Docker's own chains
 * say, and Docker, whichever backend it uses, leaves foreign tables alone.
 */
export function firewallRules(wanted: WantedHost, facts: HostFacts): string {
  const ports = facts.ssh.ports.length > 0 ? facts.ssh.ports : [22];
  const asked = wanted.listen !== "0.0.0.0" ? `ct original ip daddr ${wanted.listen} ` : "";
  const published = (port: number, sources: readonly string[]): readonly string[] =>
    from(sources).map((source) => `${source}${asked}meta l4proto tcp ct status dnat ct original proto-dst ${port} accept`);
  const body = [
    "  chain input {",
    "    type filter hook input priority filter; policy drop;",
    '    iifname "lo" accept',
    "    ct state established,related accept",
    "    ct state invalid drop",
    "    icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept",
    "    meta l4proto ipv6-icmp accept",
    "    udp sport 67 udp dport 68 accept",
    "    udp sport 547 udp dport 546 accept",
    ...from(wanted.firewall.ssh).map((source) => `    ${source}tcp dport { ${[...ports].sort((a, b) => a - b).join(", ")} } accept`),
    "  }",
    "  chain forward {",
    "    type filter hook forward priority filter - 10; policy drop;",
    "    ct state established,related accept",
    // Out of a container: Docker's own rules decide what it may reach. The source must be of the pool, because a plant's own bridge may be named br-….
    '    iifname "docker0" accept',
    `    iifname "br-*" ip saddr ${wanted.docker.pool} accept`,
    ...published(80, wanted.firewall.challenge ? [] : wanted.firewall.web).map((rule) => `    ${rule}`),
    ...published(443, wanted.firewall.web).map((rule) => `    ${rule}`),
    ...(wanted.firewall.peer === undefined ? [] : published(5432, [wanted.firewall.peer])).map((rule) => `    ${rule}`),
    "  }",
  ];
  const version = sha256(body.join("\n")).slice(0, 12);
  return [
    "#!/usr/sbin/nft -f",
    "# Managed by millwright: `millwright host bootstrap` puts it back. Never `flush ruleset`: that removes Docker's rules.",
    "table inet millwright",
    "delete table inet millwright",
    "table inet millwright {",
    ...body.map((line) => (line.includes('iifname "lo" accept') ? `${line} comment "millwright ${version}"` : line)),
    "}",
    "",
  ].join("\n");
}

/** The text by which the loaded rules are known to be these. */
function mark(rules: string): string {
  return /comment "(millwright [0-9a-f]{12})"/.exec(rules)?.[1] ?? "";
}

/** A rule's beginning for each source; one that matches everybody when there is none. */
function from(sources: readonly string[]): readonly string[] {
  return sources.length === 0 ? [""] : sources.map((range) => `${range.includes(":") ? "ip6" : "ip"} saddr ${range} `);
}

const UNIT = `# Managed by millwright: \`millwright host bootstrap\` puts it back.
[Unit]
Description=millwright's firewall
DefaultDependencies=no
ConditionPathExists=${FIREWALL_FILE}
RequiresMountsFor=/etc
Wants=network-pre.target
# The distribution's own unit flushes every table when it starts.
After=nftables.service millwright-rollback.service
PartOf=nftables.service
Before=network-pre.target shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f ${FIREWALL_FILE}
ExecReload=/usr/sbin/nft -f ${FIREWALL_FILE}

[Install]
WantedBy=multi-user.target
`;
