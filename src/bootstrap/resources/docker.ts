import type { HostFacts } from "../host-facts.ts";
import type { Resource } from "../resource.ts";
import type { WantedHost } from "../wanted.ts";

const DAEMON_FILE = "/etc/docker/daemon.json";

export function dockerResources(wanted: WantedHost, facts: HostFacts): readonly Resource[] {
  return [
    { group: "docker", kind: "directory", path: "/etc/docker", mode: 0o755 },
    {
      // Before the packages: the engine's first start must not take a range of the plant for its bridge.
      group: "docker",
      kind: "file",
      path: DAEMON_FILE,
      mode: 0o644,
      content: daemonJson(wanted),
      validate: ["dockerd", "--validate", "--config-file", "{}"],
      triggers: ["docker-restart"],
    },
    {
      group: "docker",
      kind: "packages",
      names: dockerPackages(wanted, facts),
      // Debian's package asks whether its upgrades may restart the engine: never by themselves.
      ...(wanted.docker.source === "distribution" ? { preseed: "docker.io docker.io/restart boolean false" } : {}),
    },
    { group: "docker", kind: "unit", unit: "docker.service", active: true },
    {
      group: "docker",
      kind: "action",
      name: "docker-restart",
      title: "restart the Docker engine; running containers go on (live restore)",
      // systemd allows few starts a minute, and an installation may just have used them.
      words: [
        ["systemctl", "reset-failed", "docker.service"],
        ["systemctl", "restart", "docker.service"],
      ],
    },
    {
      group: "docker",
      kind: "live",
      title: "the Docker engine runs with these settings",
      look: ["docker", "info", "--format", "live-restore={{.LiveRestoreEnabled}} log={{.LoggingDriver}} security={{.SecurityOptions}}"],
      texts: ["live-restore=true log=local", "name=seccomp", ...(facts.apparmor ? ["name=apparmor"] : [])],
    },
    {
      group: "docker",
      kind: "live",
      title: "docker compose is there, version 2 or newer",
      look: ["docker", "compose", "version"],
      texts: ["Docker Compose version"],
    },
  ];
}

/** The engine and its plugins, by the names that the distribution or Docker gives them. */
export function dockerPackages(wanted: WantedHost, facts: Pick<HostFacts, "distribution">): readonly string[] {
  if (wanted.docker.source === "docker") return ["docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin", "docker-compose-plugin"];
  return facts.distribution.startsWith("ubuntu")
    ? ["docker.io", "docker-compose-v2", "docker-buildx"]
    : ["docker.io", "docker-cli", "docker-compose", "docker-buildx"];
}

export function daemonJson(wanted: WantedHost): string {
  const insecure = wanted.docker.mirrors.filter((mirror) => mirror.startsWith("http://")).map((mirror) => new URL(mirror).host);
  const settings = {
    "live-restore": true,
    "userland-proxy": false,
    icc: false,
    "no-new-privileges": true,
    // A port published without an address: `ip` covers docker0, the network option every other bridge. Neither covers both.
    ip: "127.0.0.1",
    "default-network-opts": { bridge: { "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1" } },
    "log-driver": "local",
    "log-opts": { "max-size": "10m", "max-file": "5" },
    // Docker's own packages begin with containerd's image store (29 and newer), in which a release has another id.
    features: { "containerd-snapshotter": false },
    "default-address-pools": [{ base: wanted.docker.pool, size: networkSize(wanted.docker.pool) }],
    "default-ulimits": { nofile: { Name: "nofile", Soft: 4096, Hard: 8192 } },
    "shutdown-timeout": 150,
    ...(wanted.docker.mirrors.length > 0 ? { "registry-mirrors": wanted.docker.mirrors } : {}),
    ...(insecure.length > 0 ? { "insecure-registries": insecure } : {}),
  };
  return `${JSON.stringify(settings, null, 2)}\n`;
}

/** Prefix of one network in the pool: 254 addresses, or fewer where the pool would hold less than sixteen such networks. */
export function networkSize(pool: string): number {
  return Math.max(24, Math.min(28, Number(pool.split("/")[1]) + 4));
}
