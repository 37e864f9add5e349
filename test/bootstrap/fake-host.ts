import type { RunResult } from "../../src/kernel/shell.ts";
import type { FileEntry, System } from "../../src/bootstrap/system.ts";

interface FakeFile extends FileEntry {
  readonly content: string;
}

export class PowerCut extends Error {}

const APT_CONF = "/etc/apt/apt.conf.d/90millwright-upgrades";
const SSHD = "/etc/ssh/sshd_config.d/00-millwright.conf";

/** A bare Debian 13 VM as bootstrap sees it: what it writes and runs has the effect that it has on a real one. Cut `power` to stop it anywhere. */
export class FakeHost {
  readonly files = new Map<string, FakeFile>();
  readonly packages = new Set(["nftables", "ca-certificates"]);
  readonly groups = new Map<string, Set<string>>([["sudo", new Set(["admin"])]]);
  readonly accounts = new Map([["admin", { password: "$y$1", home: "/home/admin", shell: "/bin/bash" }]]);
  readonly enabled = new Set<string>();
  readonly active = new Set<string>();
  readonly sysctl = new Map<string, string>();
  /** What is loaded, as opposed to what is written. */
  readonly loaded = { firewall: "", sshd: "", daemon: "" };
  readonly log: string[] = [];
  /** Effects that still happen; the one after the last throws. */
  power = Number.POSITIVE_INFINITY;
  now = Date.UTC(2026, 10, 24, 6, 0);
  extraRights = "";
  #locked = false;

  constructor() {
    this.files.set("/var/lib", { kind: "directory", mode: 0o755, uid: 0, gid: 0, content: "" });
    this.#put("/etc/os-release", 'ID=debian\nVERSION_ID="13"\n');
    this.#put("/etc/ssh/ssh_host_ed25519_key", "");
    this.#put("/opt/millwright/0.1.0/agent.mjs", "");
  }

  get system(): System {
    return {
      clock: { now: () => this.now, sleep: async () => {} },
      shell: { run: async (words, options) => this.#run(words, String(options?.input ?? "")) },
      exclusive: async () => {
        if (this.#locked) return undefined;
        this.#locked = true;
        return { [Symbol.asyncDispose]: async () => void (this.#locked = false) };
      },
      identities: {
        make: async (path) => this.#effect(`identity ${path}`, () => this.#put(path, `AGE-SECRET-KEY-${this.log.length}`, 0o600)),
        recipient: async (path) => this.files.get(path)?.content.replace("AGE-SECRET-KEY-", "age1"),
      },
      files: {
        look: async (path) => this.files.get(path),
        read: async (path) => this.files.get(path)?.content,
        list: async (path) =>
          [...this.files.keys()].filter((name) => name.startsWith(`${path}/`)).map((name) => name.slice(path.length + 1).split("/")[0] ?? ""),
        write: async (path, content, mode) => this.#effect(`write ${path}`, () => this.#put(path, content, mode)),
        makeDirectory: async (path, mode) =>
          this.#effect(`mkdir ${path}`, () => this.files.set(path, { kind: "directory", mode, uid: 0, gid: 0, content: "" })),
        link: async (path, target) =>
          this.#effect(`link ${path}`, () => this.files.set(path, { kind: "symlink", mode: 0o777, uid: 0, gid: 0, target, content: "" })),
        rename: async (from, to) => this.#effect(`rename ${from} ${to}`, () => this.#move(from, to)),
        remove: async (path) =>
          this.#effect(`remove ${path}`, () => {
            for (const name of this.files.keys()) if (name === path || name.startsWith(`${path}/`)) this.files.delete(name);
          }),
      },
    };
  }

  /** What a reboot does: what was loaded is gone, what was enabled comes back, and a pending guard is rolled back first. */
  boot(): void {
    this.power = Number.POSITIVE_INFINITY;
    this.#locked = false;
    this.loaded.firewall = "";
    if (this.enabled.has("millwright-rollback.service")) this.rollBack();
    this.loaded.sshd = this.files.get(SSHD)?.content ?? "";
    if (this.enabled.has("millwright-firewall.service")) this.loaded.firewall = this.files.get("/etc/millwright/firewall.nft")?.content ?? "";
    if (this.active.has("docker.service")) this.loaded.daemon = this.files.get("/etc/docker/daemon.json")?.content ?? "";
  }

  rollBack(): void {
    const guard = "/var/lib/millwright/guard";
    if (!this.files.has(`${guard}/pending`)) return;
    this.#restore(`${guard}/pending/sshd`, SSHD);
    this.#restore(`${guard}/pending/firewall`, "/etc/millwright/firewall.nft");
    this.loaded.sshd = this.files.get(SSHD)?.content ?? "";
    this.loaded.firewall = this.files.get("/etc/millwright/firewall.nft")?.content ?? "";
    this.#move(`${guard}/pending`, `${guard}/rolled-back`);
  }

  #restore(copy: string, path: string): void {
    const file = this.files.get(copy);
    if (file === undefined) this.files.delete(path);
    else this.files.set(path, file);
  }

  #put(path: string, content: string, mode = 0o644): void {
    this.files.set(path, { kind: "file", mode, uid: 0, gid: 0, content });
  }

  #move(from: string, to: string): void {
    for (const [name, file] of this.files) {
      if (name !== from && !name.startsWith(`${from}/`)) continue;
      this.files.delete(name);
      this.files.set(to + name.slice(from.length), file);
    }
  }

  #effect(what: string, happen: () => void): void {
    if (this.power <= 0) throw new PowerCut(what);
    this.power -= 1;
    happen();
    this.log.push(what);
  }

  #run(words: readonly string[], _input: string): RunResult {
    const [program = "", ...rest] = words;
    const answer = this.#look(program, rest);
    if (answer !== undefined) return answer;
    let result = { code: 0, stdout: "", stderr: "" };
    this.#effect(words.join(" "), () => {
      result = { ...result, code: this.#act(program, rest) };
    });
    return result;
  }

  #look(program: string, rest: readonly string[]): RunResult | undefined {
    const say = (stdout: string, code = 0): RunResult => ({ code, stdout, stderr: "" });
    const last = rest.at(-1) ?? "";
    if (program === "dpkg-query")
      return say(
        rest
          .slice(3)
          .flatMap((name) => (this.packages.has(name) ? [`${name} installed\n`] : []))
          .join(""),
      );
    if (program === "dpkg" || program === "ss" || program === "visudo" || program === "debconf-set-selections" || (program === "nft" && rest[0] === "-c"))
      return say("");
    if (program === "ip") return say("[]");
    if (program === "df") return say("Avail\n99999999999\n");
    if (program === "ssh") return say("curve25519-sha256\naes256-ctr\nhmac-sha2-256-etm@openssh.com\n");
    if (program === "getent") return this.#getent(rest[0] ?? "", last);
    if (program === "id")
      return this.accounts.has(last) ? say([last, ...[...this.groups].flatMap(([name, members]) => (members.has(last) ? [name] : []))].join(" ")) : say("", 1);
    if (program === "sysctl" && rest[0] !== "-q") return say(rest.map((key) => `${key} = ${this.sysctl.get(key) ?? "?"}\n`).join(""));
    if (program === "nft" && rest[0] === "list") return say(this.loaded.firewall, this.loaded.firewall === "" ? 1 : 0);
    if (program === "sshd") return say(rest[0] === "-T" ? this.#sshd() : "");
    if (program === "sudo") return say(this.#rights() + this.extraRights);
    if (program === "apt-config") return say(this.#aptConfig());
    if (program === "dockerd") return say("", this.packages.has("docker.io") ? 0 : 127);
    if (program === "docker") return this.#docker(rest);
    if (program === "systemctl" && rest[0] === "--version") return say("systemd 257 (257.7-1)\n+PAM +AUDIT\n");
    if (program === "systemctl" && rest[0] === "show")
      return say(`UnitFileState=${this.enabled.has(last) ? "enabled" : ""}\nActiveState=${this.active.has(last) ? "active" : "inactive"}\n`);
    if (program === "systemctl" && rest[0] === "is-active") return say("", this.active.has(last) ? 0 : 3);
    return undefined;
  }

  #act(program: string, rest: readonly string[]): number {
    const last = rest.at(-1) ?? "";
    const flag = (name: string): string => rest[rest.indexOf(name) + 1] ?? "";
    if (program === "apt-get") {
      for (const name of rest.slice(rest.indexOf("install") + 1)) this.packages.add(name);
      if (rest.includes("docker.io")) {
        this.enabled.add("docker.service");
        this.active.add("docker.service");
        this.loaded.daemon = this.files.get("/etc/docker/daemon.json")?.content ?? "";
      }
    } else if (program === "groupadd") this.groups.set(last, new Set());
    else if (program === "useradd") this.accounts.set(last, { password: "*", home: flag("--home-dir"), shell: flag("--shell") });
    else if (program === "usermod" && rest.includes("--groups")) {
      if (!rest.includes("--append")) for (const members of this.groups.values()) members.delete(last);
      for (const name of flag("--groups").split(",")) this.groups.get(name)?.add(last);
    } else if (program === "sysctl") {
      for (const line of (this.files.get(last)?.content ?? "").split("\n")) {
        const [key = "", value] = line.split(" = ");
        if (value !== undefined) this.sysctl.set(key, value);
      }
    } else if (program === "nft") this.loaded.firewall = this.files.get(last)?.content ?? "";
    else if (program === "systemctl") return this.#systemctl(rest[0] ?? "", last);
    else if (program !== "systemd-run") throw new Error(`the fake host knows no ${program} ${rest.join(" ")}`);
    return 0;
  }

  #systemctl(verb: string, unit: string): number {
    const template = unit.replace(/@[^.]+\./, "@.");
    if (verb === "enable") {
      if (unit.startsWith("millwright") && !this.files.has(`/etc/systemd/system/${template}`)) return 1;
      this.enabled.add(unit);
    } else if (verb === "start" && unit === "millwright-rollback.service") this.rollBack();
    else if (verb === "start" || verb === "restart") {
      this.active.add(unit);
      if (unit === "docker.service") this.loaded.daemon = this.files.get("/etc/docker/daemon.json")?.content ?? "";
    } else if (verb === "try-reload-or-restart") this.loaded.sshd = this.files.get(SSHD)?.content ?? "";
    return 0;
  }

  #getent(database: string, name: string): RunResult {
    const account = this.accounts.get(name);
    if (database === "group") return { code: this.groups.has(name) ? 0 : 2, stdout: `${name}:x:1:\n`, stderr: "" };
    if (account === undefined) return { code: 2, stdout: "", stderr: "" };
    const line = database === "shadow" ? `${name}:${account.password}:1` : `${name}:x:1:1::${account.home}:${account.shell}`;
    return { code: 0, stdout: `${line}\n`, stderr: "" };
  }

  #sshd(): string {
    const written = this.files.get(SSHD)?.content ?? "PasswordAuthentication yes";
    const lines = written.split("\n").map((line) => line.trim().replace(/^(\w+)/, (word) => word.toLowerCase()));
    return [
      "port 22",
      ...lines.flatMap((line) =>
        line.startsWith("allowgroups")
          ? line
              .split(" ")
              .slice(1)
              .map((name) => `allowgroups ${name}`)
          : [line],
      ),
    ].join("\n");
  }

  #rights(): string {
    const sudoers = this.files.get("/etc/sudoers.d/millwright")?.content ?? "";
    return sudoers
      .split("\n")
      .flatMap((line) => (line.startsWith("deploy ") ? [`    ${line.replace("deploy ALL=", "")}\n`] : []))
      .join("");
  }

  #aptConfig(): string {
    return (this.files.get(APT_CONF)?.content ?? "").replace(/^ {2}("[^"]+";)$/gm, "Unattended-Upgrade::Package-Blacklist:: $1");
  }

  #docker(rest: readonly string[]): RunResult {
    if (!this.packages.has("docker.io")) return { code: 127, stdout: "", stderr: "" };
    if (rest[0] === "info")
      return {
        code: 0,
        stdout: this.loaded.daemon.includes('"live-restore": true') ? "live-restore=true log=local security=[name=seccomp]" : "live-restore=false",
        stderr: "",
      };
    return { code: 0, stdout: rest[0] === "compose" ? "Docker Compose version 2.26.1" : "", stderr: "" };
  }
}
