import { parse } from "yaml";
import { z } from "zod";
import { HOST_FILE, hostFileSchema } from "../deploy/host-file.ts";
import type { System } from "./system.ts";

/** What bootstrap has to know of a host before it can say what the host lacks. Observed once, at the beginning of a run. */
export interface HostFacts {
  /** `debian 13`, `ubuntu 24.04`. */
  readonly distribution: string;
  readonly apparmor: boolean;
  readonly now: number;
  /** Free bytes where Docker keeps its data. */
  readonly freeBytes: number;
  readonly routes: readonly Route[];
  readonly listeners: readonly Listener[];
  readonly containers: readonly RunningContainer[];
  /** The stack that this host was bootstrapped for before. */
  readonly stack: string | undefined;
  readonly ssh: SshFacts;
  /** Other firewall managers that are active. */
  readonly firewalls: readonly string[];
}

export interface Route {
  readonly destination: string;
  readonly device: string;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  readonly program: string;
}

export interface RunningContainer {
  readonly name: string;
  readonly project: string;
  /** As `docker ps` prints them, such as `0.0.0.0:80->80/tcp`. */
  readonly ports: string;
}

export interface SshFacts {
  readonly ports: readonly number[];
  /** Ubuntu 24.04 lets systemd listen for sshd. */
  readonly socket: boolean;
  readonly hostKeys: readonly string[];
  /** What this host's OpenSSH knows: a name it does not know keeps sshd from starting. */
  readonly kex: readonly string[];
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
}

export async function observeHost(system: System): Promise<HostFacts> {
  const { shell, files } = system;
  const out = async (...words: readonly string[]): Promise<string> => (await shell.run(words)).stdout;
  const lines = async (...words: readonly string[]): Promise<readonly string[]> => (await out(...words)).split("\n").filter((line) => line !== "");

  const release = Object.fromEntries(
    ((await files.read("/etc/os-release")) ?? "").split("\n").map((line) => {
      const [key = "", value = ""] = line.split("=");
      return [key, value.replaceAll('"', "")];
    }),
  );
  const sshd = await lines("sshd", "-T");
  const socket = (await shell.run(["systemctl", "is-active", "--quiet", "ssh.socket"])).code === 0;
  const written = await files.read(HOST_FILE);
  return {
    distribution: `${release["ID"] ?? "unknown"} ${release["VERSION_ID"] ?? ""}`.trim(),
    apparmor: (await files.read("/sys/module/apparmor/parameters/enabled"))?.trim() === "Y",
    now: system.clock.now(),
    freeBytes: await freeBytes(system),
    routes: parseRoutes(await out("ip", "-j", "route", "show", "table", "all")),
    listeners: (await lines("ss", "-Hltnp")).map(parseListener).filter((listener) => listener !== undefined),
    containers: (await lines("docker", "ps", "--format", "{{json .}}")).map(parseContainer),
    stack: written === undefined ? undefined : hostFileSchema.parse(parse(written)).stack,
    ssh: {
      ports: await sshPorts(system, sshd, socket),
      socket,
      hostKeys: (await files.list("/etc/ssh")).filter((name) => /^ssh_host_(ed25519|rsa)_key$/.test(name)).map((name) => `/etc/ssh/${name}`),
      kex: await lines("ssh", "-Q", "kex"),
      ciphers: await lines("ssh", "-Q", "cipher"),
      macs: await lines("ssh", "-Q", "mac"),
    },
    firewalls: (await lines("systemctl", "list-units", "--plain", "--no-legend", "--state=active", "ufw.service", "firewalld.service"))
      .map((line) => line.split(".service")[0] ?? "")
      .filter((name) => name !== ""),
  };
}

async function freeBytes(system: System): Promise<number> {
  for (const path of ["/var/lib/docker", "/var/lib"]) {
    if ((await system.files.look(path)) === undefined) continue;
    const { stdout } = await system.shell.run(["df", "--output=avail", "-B1", path]);
    const bytes = Number(stdout.trim().split("\n").at(-1));
    if (Number.isFinite(bytes)) return bytes;
  }
  return 0;
}

async function sshPorts(system: System, sshd: readonly string[], socket: boolean): Promise<readonly number[]> {
  const own = sshd.flatMap((line) => /^port (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  if (!socket) return own;
  const { stdout } = await system.shell.run(["systemctl", "show", "-p", "Listen", "--value", "ssh.socket"]);
  const listened = [...stdout.matchAll(/:(\d+) \(Stream\)/g)].map((match) => Number(match[1]));
  return listened.length > 0 ? [...new Set(listened)] : own;
}

const routeSchema = z.array(z.object({ dst: z.string(), dev: z.string().default("") }));

export function parseRoutes(json: string): readonly Route[] {
  return routeSchema.parse(JSON.parse(json === "" ? "[]" : json)).map(({ dst, dev }) => ({ destination: dst, device: dev }));
}

/** One line of `ss -Hltnp`: state, queues, local address, peer, users. */
export function parseListener(line: string): Listener | undefined {
  const local = line.trim().split(/\s+/)[3] ?? "";
  const match = /^(.*):(\d+)$/.exec(local);
  if (match === null) return undefined;
  const address = (match[1] ?? "").replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  return { address, port: Number(match[2]), program: /\(\("([^"]+)"/.exec(line)?.[1] ?? "" };
}

const containerSchema = z.object({ Names: z.string(), Ports: z.string().default(""), Labels: z.string().default("") });

function parseContainer(line: string): RunningContainer {
  const container = containerSchema.parse(JSON.parse(line));
  return { name: container.Names, ports: container.Ports, project: /(?:^|,)com\.docker\.compose\.project=([^,]*)/.exec(container.Labels)?.[1] ?? "" };
}
