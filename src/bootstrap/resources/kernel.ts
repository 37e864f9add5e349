import type { Resource } from "../resource.ts";

const FILE = "/etc/sysctl.d/60-millwright.conf";

/** Docker needs forwarding, and strict reverse paths break hosts with several networks: neither is touched. */
const SETTINGS: Readonly<Record<string, string>> = {
  "fs.protected_hardlinks": "1",
  "fs.protected_symlinks": "1",
  "net.ipv4.conf.all.accept_redirects": "0",
  "net.ipv4.conf.all.accept_source_route": "0",
  "net.ipv4.conf.all.secure_redirects": "0",
  "net.ipv4.conf.all.send_redirects": "0",
  "net.ipv4.conf.default.accept_redirects": "0",
  "net.ipv4.conf.default.accept_source_route": "0",
  "net.ipv4.conf.default.secure_redirects": "0",
  "net.ipv4.conf.default.send_redirects": "0",
  "net.ipv4.tcp_syncookies": "1",
  // Redis forks to save: without it a busy host refuses the fork.
  "vm.overcommit_memory": "1",
  "vm.swappiness": "10",
};

export function kernelResources(): readonly Resource[] {
  const lines = Object.entries(SETTINGS).map(([key, value]) => `${key} = ${value}`);
  return [
    {
      group: "kernel",
      kind: "file",
      path: FILE,
      mode: 0o644,
      content: `# Managed by millwright: \`millwright host bootstrap\` puts it back.\n${lines.join("\n")}\n`,
    },
    {
      group: "kernel",
      kind: "live",
      title: "load the kernel settings",
      look: ["sysctl", ...Object.keys(SETTINGS)],
      lines,
      apply: ["sysctl", "-q", "-p", FILE],
    },
  ];
}
