import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AdminConnection } from "../../src/bootstrap/admin-connection.ts";
import { bootstrapHost, type BootstrapOptions, checkHost } from "../../src/bootstrap/bootstrap-host.ts";
import { sumsOf } from "../../src/bootstrap/carry-agent.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { silentEvents } from "../../src/kernel/events.ts";
import { environment, KEY } from "./fixtures.ts";

type Answer = { readonly code?: number; readonly stdout?: string; readonly stderr?: string };

const CHANGE = { group: "ssh", title: "change sshd", diff: [] };
const outcome = (more: object): string =>
  `${JSON.stringify({ ok: true, agent: "0.1.0", result: { changes: [], notes: [], guard: null, unconfirmed: false, recipient: "age1host", ...more } })}\n`;

const machine = (system = "debian", version = "13"): string => `x86_64\nPRETTY_NAME="A system"\nID=${system}\nVERSION_ID="${version}"\n`;

let folder = "";
const files = { agent: "", node: "" };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millwright-bootstrap-"));
  for (const name of ["agent", "node"] as const) await writeFile((files[name] = join(folder, name)), `a fake ${name}`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A host by the commands it is sent. What is not in `answers` is answered as a bootstrapped host without changes would. */
function host(answers: Readonly<Record<string, Answer | (() => Answer)>> = {}): AdminConnection & { readonly asked: string[] } {
  const asked: string[] = [];
  const usual: Readonly<Record<string, () => Promise<Answer>>> = {
    "uname -m": async () => {
      const sums = await sumsOf(files);
      return { stdout: `${machine()}${sums.agent}  agent.mjs\n${sums.node}  node\n` };
    },
    "bootstrap plan": async () => ({ stdout: outcome({}) }),
    "bootstrap apply": async () => ({ stdout: outcome({}) }),
    "bootstrap confirm": async () => ({ stdout: outcome({}) }),
    "bootstrap rollback": async () => ({ stdout: outcome({}) }),
    hello: async () => ({ stdout: outcome({}) }),
    "tar -xzf": async () => ({}),
  };
  return {
    asked,
    exec: async (command, { onStdoutLine, stdin } = {}) => {
      if (stdin !== undefined && !(stdin instanceof Uint8Array)) for await (const _ of stdin);
      const name = Object.keys(usual).find((part) => command.includes(part)) ?? command;
      asked.push(name);
      const own = answers[name];
      const answer = own === undefined ? await usual[name]?.() : typeof own === "function" ? own() : own;
      for (const line of (answer?.stdout ?? "").split("\n")) onStdoutLine?.(line);
      return { code: 0, stdout: "", stderr: "", ...answer };
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

function options(connection: AdminConnection, more: Partial<BootstrapOptions> = {}): BootstrapOptions {
  return {
    environment: environment(),
    deployKeys: [{ name: "alice", key: KEY }],
    connection,
    openNewConnection: async () => connection,
    agentFile: files.agent,
    nodeFile: async () => files.node,
    confirm: async () => true,
    events: silentEvents,
    clock: { now: () => 0, sleep: async () => {} },
    ...more,
  };
}

const changing = {
  "bootstrap plan": { stdout: outcome({ changes: [CHANGE] }) },
  "bootstrap apply": { stdout: outcome({ changes: [CHANGE], guard: "0123456789ab" }) },
};

describe("bootstrapHost", () => {
  it("asks a host that lacks nothing two questions and changes nothing", async () => {
    const connection = host();
    expect(await bootstrapHost(options(connection))).toEqual({ changed: [], accepted: true, recipient: "age1host" });
    expect(connection.asked).toEqual(["uname -m", "bootstrap plan"]);
  });

  it("carries the agent only to a host that has another or none", async () => {
    const connection = host({ "uname -m": { stdout: machine() } });
    const { changed } = await bootstrapHost(options(connection));
    expect(changed.map(({ group }) => group)).toEqual(["agent"]);
    expect(connection.asked).toContain("tar -xzf");
  });

  it("shows the changes first, and makes none that are not wanted", async () => {
    const connection = host(changing);
    const shown: unknown[] = [];
    const result = await bootstrapHost(options(connection, { confirm: async (changes) => shown.push(...changes) < 0 }));
    expect(shown).toEqual([CHANGE]);
    expect([result.accepted, connection.asked.includes("bootstrap apply")]).toEqual([false, false]);
  });

  it("confirms over a new connection of the admin, after the deploy key has reached the agent", async () => {
    const [old, deploy, admin] = [host(changing), host(), host()];
    await bootstrapHost(options(old, { openNewConnection: async (user) => (user === "deploy" ? deploy : admin) }));
    expect([old.asked.at(-1), deploy.asked, admin.asked]).toEqual(["bootstrap apply", ["hello"], ["bootstrap confirm"]]);
  });

  it("takes sshd and firewall back over the old connection when a new login is refused, without trying again", async () => {
    const old = host(changing);
    let tries = 0;
    const refuse = async (): Promise<AdminConnection> => {
      tries++;
      throw new MillwrightError("LOGIN_REFUSED", "The host refused the key.");
    };
    await expect(bootstrapHost(options(old, { openNewConnection: refuse }))).rejects.toMatchObject({
      code: "LOGIN_NOT_PROVEN",
      message: expect.stringContaining("taken back") as string,
    });
    expect([tries, old.asked.at(-1)]).toEqual([1, "bootstrap rollback"]);
  });

  it("takes them back when the deploy key logs in but does not reach the agent", async () => {
    const [old, deploy] = [host(changing), host({ hello: { code: 1, stderr: "sudo: a password is required" } })];
    await expect(bootstrapHost(options(old, { openNewConnection: async () => deploy }))).rejects.toMatchObject({ code: "LOGIN_NOT_PROVEN" });
    expect(old.asked.at(-1)).toBe("bootstrap rollback");
  });

  it("says that the host takes them back by itself when the old connection is dead too", async () => {
    const old = host({ ...changing, "bootstrap rollback": { code: 255 } });
    const refuse = async (): Promise<AdminConnection> => Promise.reject(new MillwrightError("HOST_UNREACHABLE", "No answer."));
    await expect(bootstrapHost(options(old, { openNewConnection: refuse, guardSeconds: 60 }))).rejects.toThrow(/by itself within 60 s/);
  });

  it("waits for an sshd that is just reading its settings again", async () => {
    let tries = 0;
    const connection = host(changing);
    const open = async (): Promise<AdminConnection> => {
      tries++;
      if (tries < 3) throw new MillwrightError("HOST_UNREACHABLE", "No answer.");
      return connection;
    };
    expect((await bootstrapHost(options(connection, { openNewConnection: open }))).changed).toEqual([CHANGE]);
  });

  it("takes an unconfirmed change back before it plans anew", async () => {
    let plans = 0;
    const connection = host({ "bootstrap plan": () => ({ stdout: outcome({ unconfirmed: plans++ === 0, changes: [CHANGE] }) }) });
    await bootstrapHost(options(connection, { confirm: async () => false }));
    expect(connection.asked.slice(1)).toEqual(["bootstrap plan", "bootstrap rollback", "bootstrap plan"]);
  });

  it("passes the host's own refusal on with its code", async () => {
    const error = { code: "CLOCK_WRONG", message: "The host's clock is 90 s ahead." };
    const connection = host({ "bootstrap plan": { code: 1, stdout: `${JSON.stringify({ ok: false, agent: "0.1.0", error })}\n` } });
    await expect(bootstrapHost(options(connection))).rejects.toMatchObject(error);
  });

  it.each(["sudo: a password is required", "admin is not in the sudoers file.", "sh: 1: sudo: not found"])(
    "asks for sudo without a password when it hears: %s",
    async (stderr) => {
      await expect(bootstrapHost(options(host({ "uname -m": { code: 1, stderr } })))).rejects.toMatchObject({ code: "SUDO_NEEDED" });
    },
  );

  it("refuses a processor for which there is no agent", async () => {
    await expect(bootstrapHost(options(host({ "uname -m": { stdout: "riscv64\n" } })))).rejects.toMatchObject({ code: "HOST_UNSUPPORTED" });
  });

  it.each([
    ["debian", "12", "docker.source"],
    ["fedora", "43", "acme-production"],
  ])("leaves nothing on a host with %s %s, which it refuses", async (system, version, subject) => {
    const connection = host({ "uname -m": { stdout: machine(system, version) } });
    await expect(bootstrapHost(options(connection))).rejects.toMatchObject({ code: "HOST_UNSUPPORTED", subject });
    expect(connection.asked).toEqual(["uname -m"]);
  });

  it("does not take a broken link for an answer", async () => {
    await expect(bootstrapHost(options(host({ "bootstrap plan": { code: 255, stderr: "Connection reset" } })))).rejects.toMatchObject({ code: "LINK_LOST" });
  });
});

describe("checkHost", () => {
  it("says of a system that bootstrap refuses what bootstrap would say", async () => {
    const connection = host({ "uname -m": { stdout: machine("debian", "12") } });
    await expect(checkHost(options(connection))).rejects.toMatchObject({ code: "HOST_UNSUPPORTED", subject: "docker.source" });
  });

  it("lists what bootstrap would change, the agent too, and changes nothing", async () => {
    const connection = host({ ...changing, "uname -m": { stdout: `${machine()}abc  agent.mjs\nabc  node\n` } });
    expect((await checkHost(options(connection))).map(({ group }) => group)).toEqual(["agent", "ssh"]);
    expect(connection.asked).toEqual(["uname -m", "bootstrap plan"]);
  });

  it("says that a bare host has no agent", async () => {
    const missing = { code: 1, stderr: "sudo: /opt/millwright/0.1.0/node: command not found" };
    await expect(checkHost(options(host({ "uname -m": { stdout: machine() }, "bootstrap plan": missing })))).rejects.toMatchObject({ code: "AGENT_MISSING" });
  });
});
