import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import * as z from "zod";

/** A host of the lab, Debian 13 unless its template says otherwise: systemd, sshd, its own address and disk. See README.md beside this file. */
export interface LabHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: "admin";
  readonly identityFile: string;
  /** As in known_hosts: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** Runs words as root inside, without ssh. A code other than 0 is an answer, not an error. */
  sh(words: readonly string[], options?: { readonly input?: string }): Promise<LabAnswer>;
  /** Kills the host at once; disks keep what the kernel had taken. */
  powerCut(): Promise<void>;
  powerOn(): Promise<void>;
  powerOff(): Promise<void>;
  reboot(): Promise<void>;
  /** Its network carries so much each way, as tc writes it (`2mbit`), until it boots anew; undefined ends it. */
  slowNetwork(rate: string | undefined): Promise<void>;
  /** What processes inside see as the time is wrong by so many seconds; 0 ends it. */
  shiftClock(seconds: number): Promise<void>;
  destroy(): Promise<void>;
}

export interface LabAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LabHostOptions {
  /** `debian12` and `ubuntu` (24.04) are bare, `stores` is what `labStore` takes; these are built when a test asks for them. */
  readonly template?: "bare" | "docker" | "loaded" | "debian12" | "ubuntu" | "stores";
  readonly memory?: string;
  /** false: no default route; other lab hosts and the mirror stay in reach. */
  readonly internet?: boolean;
  /** Size of an empty second disk, /dev/vdb. */
  readonly disk?: string;
  /** The only host that reaches this one. */
  readonly onlyVia?: LabHost;
  /** Take a host of this name as it is, if there is one. */
  readonly keep?: boolean;
}

export const mirror = { address: "10.77.0.2:5000" } as const;

const script = join(import.meta.dirname, "lab");
const home = process.env["MILLWRIGHT_LAB_DIR"] ?? "/var/cache/millwright-lab";

const hostLine = z.object({
  name: z.string(),
  address: z.string(),
  port: z.number(),
  user: z.literal("admin"),
  identityFile: z.string(),
  hostKey: z.string(),
});

/** Says whether this machine can carry the lab, without touching anything. */
export function labAvailable(): { readonly ok: boolean; readonly why?: string } {
  if (process.platform !== "linux") return { ok: false, why: "the lab needs Linux" };
  if (process.getuid?.() !== 0) return { ok: false, why: "the lab needs root" };
  const system = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (!/^ID=debian$/m.test(system)) return { ok: false, why: "the lab needs Debian 12 or 13" };
  const modules = `/lib/modules/${release()}/modules.dep`;
  const known = readFileSync("/proc/filesystems", "utf8") + (existsSync(modules) ? readFileSync(modules, "utf8") : "");
  const missing = ["overlay", "xfs", "ext4"].filter((name) => !new RegExp(`(\\t|/)${name}(\\.ko.*)?$`, "m").test(known.replaceAll(":", "\n")));
  if (missing.length > 0) return { ok: false, why: `the kernel lacks ${missing.join(", ")}` };
  if (!existsSync("/dev/loop-control")) return { ok: false, why: "the kernel lacks loop devices" };
  return { ok: true };
}

/** Builds what is missing; a check of under a second when nothing is. */
export async function ensureLab(): Promise<void> {
  const { code } = await run(["build"], { passStderr: true });
  if (code !== 0) throw new Error("The lab could not be built; the reason is printed above.");
}

/** Whether the template `ubuntu` can be built here. */
export async function ubuntuInReach(): Promise<boolean> {
  return await fetch("http://archive.ubuntu.com/ubuntu/dists/noble/InRelease", { method: "HEAD", signal: AbortSignal.timeout(10_000) }).then(
    (response) => response.ok,
    () => false,
  );
}

/** A fresh host that answers on ssh. It dies with this process, or with LAB_OWNER if that is set. */
export async function labHost(name: string, options: LabHostOptions = {}): Promise<LabHost> {
  if (options.keep !== true) await lab("destroy", name);
  const { template = "docker" } = options;
  if (template === "debian12" || template === "ubuntu" || template === "stores") await lab("build", template);
  const words = ["up", name, "--template", template];
  if (options.memory !== undefined) words.push("--mem", options.memory);
  if (options.internet === false) words.push("--nat", "0");
  if (options.disk !== undefined) words.push("--disk", options.disk);
  if (options.onlyVia !== undefined) words.push("--only-via", options.onlyVia.name);
  const facts = hostLine.parse(JSON.parse(await lab(...words)));
  return {
    ...facts,
    sh: (command, { input } = {}) => run(["sh", name, "--", ...command], input === undefined ? {} : { input }),
    powerCut: () => lab("kill", name).then(nothing),
    powerOn: () => lab("up", name).then(nothing),
    powerOff: () => lab("down", name).then(nothing),
    reboot: () => lab("reboot", name).then(nothing),
    slowNetwork: (rate) => lab("slow", name, rate ?? "0").then(nothing),
    shiftClock: (seconds) => lab("clock", name, String(seconds)).then(nothing),
    destroy: () => lab("destroy", name).then(nothing),
  };
}

/** Boots the operator's own engine (all images pulled) and gives the path of its socket. */
export async function builderDocker(): Promise<string> {
  await lab("builder");
  return join(home, "builder.sock");
}

/** Destroys the hosts of this process; the whole lab stops unless somebody else uses it. */
export async function stopLab(): Promise<void> {
  await lab("release");
}

function nothing(): void {}

async function lab(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(words);
  if (code !== 0) throw new Error(`lab ${words.join(" ")}: ${stderr.trim()}`);
  return stdout;
}

function run(words: readonly string[], options: { input?: string; passStderr?: boolean } = {}): Promise<LabAnswer> {
  return new Promise((resolve, reject) => {
    const child = spawn(script, words, {
      env: { ...process.env, LAB_OWNER: process.env["LAB_OWNER"] ?? String(process.pid) },
      stdio: ["pipe", "pipe", options.passStderr === true ? "inherit" : "pipe"],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
    child.once("error", reject);
    child.once("close", (code, signal) =>
      resolve({
        code: code ?? (signal === "SIGKILL" ? 137 : 143),
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      }),
    );
    // A command that ends without reading its input is not a failure of ours
    child.stdin?.on("error", nothing);
    child.stdin?.end(options.input ?? "");
  });
}
