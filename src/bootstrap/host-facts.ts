import * as z from "zod";
import { HOST_FILE, parseHostFile } from "../deploy/host-file.ts";
import type { Listener } from "../deploy/host-system.ts";
import { distributionOf } from "./known-systems.ts";
import type { System } from "./system.ts";

/** What bootstrap has to know of a host before it can say what the host lacks. Observed once, at the beginning of a run. */
export interface HostFacts {
  /** `debian 13`, `ubuntu 24.04`. */
  readonly distribution: string;
  readonly apparmor: boolean;
  /** Major version; 0 when it is not told. */
  readonly systemd: number;
  readonly now: number;
  /** Free bytes where Docker keeps its data. */
  readonly freeBytes: number;
  readonly routes: readonly Route[];
  readonly listeners: readonly ListeningProgram[];
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

/** A socket that listens, with the name of its program. */
export interface ListeningProgram extends Listener {
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

  const sshd = await lines("sshd", "-T");
  const socket = (await shell.run(["systemctl", "is-active", "--quiet", "ssh.socket"])).code === 0;
  const listeners = (await lines("ss", "-Hltnp")).map(parseListener).filter((listener) => listener !== undefined);
  const written = await files.read(HOST_FILE);
  return {
    distribution: distributionOf((await files.read("/etc/os-release")) ?? ""),
    apparmor: (await files.read("/sys/module/apparmor/parameters/enabled"))?.trim() === "Y",
    systemd: Number(/^systemd (\d+)/.exec(await out("systemctl", "--version"))?.[1] ?? 0),
    now: system.clock.now(),
    freeBytes: await freeBytes(system),
    routes: parseRoutes(await out("ip", "-j", "route", "show", "table", "all")),
    listeners,
    containers: (await lines("docker", "ps", "--format", "{{json .}}")).map(parseContainer),
    stack: written === undefined ? undefined : parseHostFile(written).stack,
    ssh: {
      ports: await sshPorts(system, sshd, socket, listeners),
      socket,
      hostKeys: (await files.list("/etc/ssh")).filter((name) => /^ssh_host_(ed25519|rsa)_key$/.test(name)).map((name) => `/etc/ssh/${name}`),
      kex: await lines("ssh", "-Q", "kex"),
      ciphers: await lines("ssh", "-Q", "cipher"),
      macs: await lines("ssh", "-Q", "mac"),
    },
    firewalls: await activeFirewalls(system),
  };
}

async function activeFirewalls({ shell, files }: System): Promise<readonly string[]> {
  const isActive = async (unit: string): Promise<boolean> => (await shell.run(["systemctl", "is-active", "--quiet", unit])).code === 0;
  // Ubuntu starts ufw's unit at every boot, and with ENABLED=no that loads nothing.
  const ufw = /^ENABLED=yes/m.test((await files.read("/etc/ufw/ufw.conf")) ?? "") && (await isActive("ufw.service"));
  return [...(ufw ? ["ufw"] : []), ...((await isActive("firewalld.service")) ? ["firewalld"] : [])];
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

/**
 * Where systemd listens for sshd, a new port in sshd's settings is the unit's after the next reload and listened on after the next boot. Until then
 * the old one is the way in: all of them count.
 */
async function sshPorts(system: System, sshd: readonly string[], socket: boolean, listeners: readonly ListeningProgram[]): Promise<readonly number[]> {
  const own = sshd.flatMap((line) => /^port (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  if (!socket) return own;
  const { stdout } = await system.shell.run(["systemctl", "show", "-p", "Listen", "--value", "ssh.socket"]);
  const unit = [...stdout.matchAll(/:(\d+) \(Stream\)/g)].map((match) => Number(match[1]));
  const now = listeners.flatMap(({ program, address, port }) => (program === "sshd" && !isLoopback(address) ? [port] : []));
  return [...new Set([...now, ...unit, ...own])];
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

const routeSchema = z.array(z.object({ dst: z.string(), dev: z.string().default("") }));

export function parseRoutes(json: string): readonly Route[] {
  return routeSchema.parse(JSON.parse(json === "" ? "[]" : json)).map(({ dst, dev }) => ({ destination: dst, device: dev }));
}

/** One line of `ss -Hltnp`: state, queues, local address, peer, users. */
export function parseListener(line: string): ListeningProgram | undefined {
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
