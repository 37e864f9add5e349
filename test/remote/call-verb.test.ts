import { createHash, randomBytes } from "node:crypto";
import { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { type Connection as ServerConnection, Server, type ServerChannel } from "ssh2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { VerbTable } from "../../src/agent/serve.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import type { MillwrightEvent } from "../../src/kernel/events.ts";
import { VERSION } from "../../src/kernel/version.ts";
import { callVerb } from "../../src/remote/call-verb.ts";
import { connectHost } from "../../src/remote/connect.ts";
import type { Connection } from "../../src/remote/connection.ts";
import { parseKnownHosts } from "../../src/remote/known-hosts.ts";
import { localCaller } from "../../src/remote/local-caller.ts";
import { lacksSshd, makeKey, type Sshd, startSshd } from "./sshd.ts";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const STACK = "acme-test";
const IMAGE = `sha256:${"a".repeat(64)}`;

/** Collects bytes, slowly enough that the other side has to wait. */
function slowSink(): { readonly sink: Writable; readonly bytes: () => Buffer } {
  const chunks: Buffer[] = [];
  const sink = new Writable({
    highWaterMark: 1000,
    write: (chunk: Buffer, _, done) => {
      chunks.push(chunk);
      setImmediate(done);
    },
  });
  return { sink, bytes: () => Buffer.concat(chunks) };
}

async function connectTo(host: Sshd): Promise<Connection> {
  return await connectHost(
    { address: "127.0.0.1", port: host.port, user: host.user },
    { identityFiles: [host.key.file], agentSocket: undefined, knownHosts: parseKnownHosts(host.knownHosts, "known_hosts") },
  );
}

describe.skipIf(lacksSshd)("a verb called through OpenSSH's server and a forced command", () => {
  let host: Sshd;
  let connection: Connection;

  beforeAll(async () => {
    if (lacksSshd) return;
    const agent = fileURLToPath(new URL("forced-agent.ts", import.meta.url));
    const command = `${process.execPath} --import ${import.meta.resolve("tsx")} ${agent}`;
    host = await startSshd({ restrictions: `restrict,command="${command}"` });
    connection = await connectTo(host);
  });
  afterAll(async () => {
    await connection?.[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
  });

  it("gives its events as they come, and its result with the agent's version", async () => {
    const said: MillwrightEvent[] = [];
    const reply = await callVerb(connection, "hello", [], { onEvent: (event) => said.push(event) });
    expect(reply).toEqual({ agent: VERSION, result: { shell: `millwright/${VERSION} hello` } });
    expect(said.map((event) => event.kind === "note" && event.text)).toEqual(["note 0", "note 1", "note 2"]);
  });

  it("throws the agent's own error with code, subject, hint and details", async () => {
    await expect(callVerb(connection, "status", [STACK])).rejects.toMatchObject({
      code: "LOCK_HELD",
      message: "busy",
      subject: "run 1",
      hint: "wait",
      details: ["one"],
    });
  });

  it("takes a JSON payload, zipped on the way", async () => {
    const payload = { text: "ü\n".repeat(100_000), list: [1, null] };
    expect((await callVerb(connection, "plan", [STACK], { payload })).result).toEqual(payload);
  });

  it("takes a stream of any bytes unharmed", async () => {
    const chunks = Array.from({ length: 20 }, () => randomBytes(200_003));
    const whole = Buffer.concat(chunks);
    const { result } = await callVerb(connection, "release-load", [STACK, IMAGE], { payload: Readable.from(chunks) });
    expect(result).toEqual({ bytes: whole.length, sha256: createHash("sha256").update(whole).digest("hex") });
  });

  it("sends bytes back behind its result, no faster than they are taken", async () => {
    const { sink, bytes } = slowSink();
    const { result } = await callVerb(connection, "release-export", [STACK, IMAGE], { payload: {}, body: sink });
    const body = bytes().subarray(0, -3);
    expect(result).toEqual({ sha256: createHash("sha256").update(body).digest("hex") });
    expect(bytes().subarray(-3).toString()).toBe("end");
  });

  it("has an unknown outcome when the agent is killed before it answers, and tells its last words", async () => {
    await expect(callVerb(connection, "history", [STACK])).rejects.toMatchObject({
      code: "LINK_LOST",
      hint: expect.stringContaining("Run the command again"),
      details: ["out of memory"],
    });
  });

  it("is no longer waited for when the caller has had enough", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(new MillwrightError("INTERRUPTED", "Ctrl-C")), 50);
    await expect(callVerb(connection, "follow", [STACK], { signal: stop.signal })).rejects.toMatchObject({ code: "INTERRUPTED" });
  });

  it("is not sent when its arguments would be refused", async () => {
    const before = connection.channels;
    await expect(callVerb(connection, "status", ["$(reboot)"])).rejects.toMatchObject({ code: "GATE_REFUSED" });
    expect(connection.channels).toBe(before);
  });

  it("is all that the key can run", async () => {
    const { stdout, code } = await connection.exec("cat /etc/passwd");
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: "GATE_REFUSED" } });
    expect(stdout).not.toContain("root:");
  });

  it("costs one channel", async () => {
    const before = connection.channels;
    await callVerb(connection, "hello", []);
    expect(connection.channels).toBe(before + 1);
  });
});

describe.skipIf(lacksSshd)("a verb called on a host without the agent", () => {
  it("says that the agent is missing and how it comes there", async () => {
    await using host = await startSshd();
    await using connection = await connectTo(host);
    await expect(callVerb(connection, "hello", [])).rejects.toMatchObject({
      code: "AGENT_MISSING",
      hint: expect.stringContaining("millwright host bootstrap"),
    });
  });
});

describe("a verb called over a link with faults", () => {
  let directory = "";
  let hostKey = "";
  let file = "";
  let pinned = "";

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "millwright-faults-"));
    const host = await makeKey(directory, "host");
    hostKey = await readFile(host.file, "utf8");
    pinned = host.publicLine;
    ({ file } = await makeKey(directory, "login"));
  });
  afterAll(() => rm(directory, { recursive: true }));

  /** Calls `hello` on a server that answers a command as told. */
  async function callFaulty(answer: (channel: ServerChannel, link: ServerConnection) => void): Promise<unknown> {
    const server = new Server({ hostKeys: [hostKey] }, (link) => {
      link.on("error", () => {});
      link.on("authentication", (context) => context.accept());
      link.on("session", (accept) => void accept().on("exec", (acceptExec) => answer(acceptExec(), link)));
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    try {
      const knownHosts = parseKnownHosts(`[127.0.0.1]:${port} ${pinned}\n`, "k");
      await using connection = await connectHost({ address: "127.0.0.1", port, user: "deploy" }, { identityFiles: [file], agentSocket: undefined, knownHosts });
      return await callVerb(connection, "hello", []);
    } finally {
      server.close();
    }
  }

  const result = `${JSON.stringify({ ok: true, agent: "0.1.0", result: 7 })}\n`;

  it("is unknown in its outcome when the host tells no exit status", async () => {
    await expect(callFaulty((channel) => void channel.end())).rejects.toMatchObject({
      code: "LINK_LOST",
      message: expect.stringContaining("the connection broke"),
    });
  });

  it("is unknown in its outcome when the link drops in the middle of an answer", async () => {
    const answer = (channel: ServerChannel, link: ServerConnection): void => {
      channel.write(result.slice(0, 20));
      setImmediate(() => link.end());
    };
    await expect(callFaulty(answer)).rejects.toMatchObject({ code: "LINK_LOST" });
  });

  it("counts as answered when the result came before the link dropped", async () => {
    const answer = (channel: ServerChannel, link: ServerConnection): void => void channel.write(result, () => setImmediate(() => link.end()));
    expect(await callFaulty(answer)).toEqual({ agent: "0.1.0", result: 7 });
  });

  it("finds the result behind a greeting and events of kinds that it does not know", async () => {
    const answer = (channel: ServerChannel): void => {
      channel.write(`Authorised use only\n${JSON.stringify({ event: { kind: "from-the-future" } })}\n${result}`);
      channel.exit(0);
      channel.end();
    };
    expect(await callFaulty(answer)).toMatchObject({ result: 7 });
  });

  it("says with which status an agent ended that gave no answer", async () => {
    const answer = (channel: ServerChannel): void => {
      channel.stderr.write("TypeError: x\n");
      channel.exit(1);
      channel.end();
    };
    await expect(callFaulty(answer)).rejects.toMatchObject({ code: "LINK_LOST", message: expect.stringContaining("status 1"), details: ["TypeError: x"] });
  });
});

describe("a verb called in this process", () => {
  const table: VerbTable = {
    status: async ({ args, who, events }) => {
      events.emit({ kind: "note", at: "", level: "info", text: "here" });
      return { result: { stack: args.stack, who, gone: undefined } };
    },
    "release-export": async () => ({ result: 1, body: Readable.from([Buffer.from("bytes")]) }),
    history: () => Promise.reject(new MillwrightError("LOCK_HELD", "busy")),
  };
  const caller = localCaller(table, "jo (on the host)");

  it("gives the same as over a link: events, a JSON result, the version", async () => {
    const said: MillwrightEvent[] = [];
    const reply = await caller.call("status", [STACK], { onEvent: (event) => said.push(event) });
    expect(reply).toStrictEqual({ agent: VERSION, result: { stack: STACK, who: "jo (on the host)" } });
    expect(said).toHaveLength(1);
  });

  it("throws the verb's own error, and refuses bad arguments", async () => {
    await expect(caller.call("history", [STACK])).rejects.toMatchObject({ code: "LOCK_HELD" });
    await expect(caller.call("status", ["../x"])).rejects.toMatchObject({ code: "GATE_REFUSED" });
  });

  it("sends bytes to where they are wanted", async () => {
    const { sink, bytes } = slowSink();
    await caller.call("release-export", [STACK, IMAGE], { payload: {}, body: sink });
    expect(bytes().toString()).toBe("bytes");
  });
});
