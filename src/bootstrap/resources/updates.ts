import type { HostFacts } from "../host-facts.ts";
import type { Resource } from "../resource.ts";

const NEVER = [
  "docker.io",
  "docker-ce",
  "docker-ce-cli",
  "docker-ce-rootless-extras",
  "docker-cli",
  "docker-compose",
  "docker-compose-plugin",
  "docker-compose-v2",
  "docker-buildx",
  "docker-buildx-plugin",
  "containerd",
  "containerd.io",
  "runc",
];

/** Security updates install themselves, but nothing that would take the containers down: those come with a person watching. */
export function updateResources(facts: HostFacts): readonly Resource[] {
  return [
    {
      group: "updates",
      kind: "file",
      path: "/etc/apt/apt.conf.d/90millwright-upgrades",
      mode: 0o644,
      content: upgradesConf(facts),
      validate: ["apt-config", "-c", "{}", "dump"],
    },
    {
      group: "updates",
      kind: "file",
      path: "/etc/needrestart/conf.d/50-millwright.conf",
      mode: 0o644,
      content: "# Managed by millwright: services are listed, never restarted, after an update.\n$nrconf{restart} = 'l';\n",
    },
    {
      group: "updates",
      kind: "live",
      title: "apt takes security updates by itself and never Docker's",
      look: ["apt-config", "dump"],
      lines: [
        'APT::Periodic::Unattended-Upgrade "1";',
        'Unattended-Upgrade::Automatic-Reboot "false";',
        ...NEVER.map((name) => `Unattended-Upgrade::Package-Blacklist:: "${pattern(name)}";`),
      ],
    },
    { group: "updates", kind: "unit", unit: "apt-daily.timer", active: true },
    { group: "updates", kind: "unit", unit: "apt-daily-upgrade.timer", active: true },
  ];
}

function upgradesConf(facts: HostFacts): string {
  const origins = facts.distribution.startsWith("ubuntu")
    ? ["origin=Ubuntu,archive=${distro_codename}-security,label=Ubuntu"]
    : ["origin=Debian,codename=${distro_codename}-security,label=Debian-Security"];
  return `// Managed by millwright: \`millwright host bootstrap\` puts it back.
#clear Unattended-Upgrade::Allowed-Origins;
#clear Unattended-Upgrade::Origins-Pattern;
#clear Unattended-Upgrade::Package-Blacklist;
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade::Origins-Pattern {
${origins.map((origin) => `  "${origin}";`).join("\n")}
};
Unattended-Upgrade::Package-Blacklist {
${NEVER.map((name) => `  "${pattern(name)}";`).join("\n")}
};
Unattended-Upgrade::Automatic-Reboot "false";
Unattended-Upgrade::Remove-Unused-Kernel-Packages "true";
`;
}

/** The list holds regular expressions that are matched from the beginning. */
function pattern(name: string): string {
  return `${name.replaceAll(".", "[.]")}$`;
}
