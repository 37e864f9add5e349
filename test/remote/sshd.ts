import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";

const SSHD = "/usr/sbin/sshd";

/** A machine without OpenSSH's server leaves these tests out; continuous integration must not. */
export const lacksSshd = !existsSync(SSHD) && !process.env["CI"];

export const run = promisify(execFile);

export interface KeyPair {
  readonly file: string;
  readonly publicLine: string;
}

export async function makeKey(directory: string, name: string, ...more: readonly string[]): Promise<KeyPair> {
  const file = join(directory, name);
  const passphrase = more.includes("-N") ? [] : ["-N", ""];
  await run("ssh-keygen", ["-q", "-f", file, "-C", name, ...(more.includes("-t") ? [] : ["-t", "ed25519"]), ...passphrase, ...more]);
  return { file, publicLine: (await readFile(`${file}.pub`, "utf8")).trim() };
}

export interface SshdOptions {
  /** Types of the host's keys. */
  readonly hostKeys?: readonly ("ed25519" | "ecdsa" | "rsa")[];
  /** Text before the key in authorized_keys. */
  readonly restrictions?: string;
  readonly settings?: readonly string[];
}

/** OpenSSH's own server on a loopback port, with keys and settings of its own. */
export class Sshd implements AsyncDisposable {
  readonly directory: string;
  readonly port: number;
  readonly user: string;
  /** A key that may log in. */
  readonly key: KeyPair;
  readonly hostKeys: readonly KeyPair[];
  readonly #stop: () => Promise<void>;

  constructor(directory: string, port: number, key: KeyPair, hostKeys: readonly KeyPair[], stop: () => Promise<void>) {
    this.directory = directory;
    this.port = port;
    this.user = userInfo().username;
    this.key = key;
    this.hostKeys = hostKeys;
    this.#stop = stop;
  }

  /** known_hosts with all its host keys. */
  get knownHosts(): string {
    return this.hostKeys.map(({ publicLine }) => `[127.0.0.1]:${this.port} ${publicLine}\n`).join("");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    await rm(this.directory, { recursive: true });
  }
}

export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const directory = await mkdtemp(join(tmpdir(), "millwright-sshd-"));
  await chmod(directory, 0o755);
  if (userInfo().uid === 0) await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
  const key = await makeKey(directory, "login");
  const types = options.hostKeys ?? ["ed25519"];
  const hostKeys = await Promise.all(types.map((type) => makeKey(directory, `host_${type}`, "-t", type)));
  await writeFile(join(directory, "authorized_keys"), `${options.restrictions === undefined ? "" : `${options.restrictions} `}${key.publicLine}\n`);
  const port = await freePort();
  const settings = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    ...hostKeys.map(({ file }) => `HostKey ${file}`),
    `AuthorizedKeysFile ${join(directory, "authorized_keys")}`,
    "StrictModes no",
    "UsePAM no",
    "PidFile none",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    ...(options.settings ?? []),
  ];
  await writeFile(join(directory, "sshd_config"), `${settings.join("\n")}\n`);
  const child = spawn(SSHD, ["-D", "-e", "-f", join(directory, "sshd_config")], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
  };
  for (let attempt = 0; !(await answers(port)); attempt += 1) {
    if (attempt > 100 || child.exitCode !== null) throw new Error(`sshd does not answer: ${log}`);
    await wait(50);
  }
  return new Sshd(directory, port, key, hostKeys, stop);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
