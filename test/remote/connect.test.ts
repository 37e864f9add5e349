import { createHash, randomBytes } from "node:crypto";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectHost, type ConnectOptions, fetchHostKey } from "../../src/remote/connect.ts";
import { fingerprint, hostKeyType, knownHostsLine } from "../../src/site/host-key.ts";
import { parseKnownHosts } from "../../src/remote/known-hosts.ts";
import type { SshTarget } from "../../src/remote/ssh-target.ts";
import { freePort, type KeyPair, lacksSshd, makeKey, run, type Sshd, startSshd } from "./sshd.ts";

let host: Sshd;
let stranger: KeyPair;

beforeAll(async () => {
  if (lacksSshd) return;
  host = await startSshd({ hostKeys: ["ed25519", "ecdsa", "rsa"] });
  stranger = await makeKey(host.directory, "stranger");
});
afterAll(async () => await host?.[Symbol.asyncDispose]());

const target = (to: Sshd = host): SshTarget => ({ address: "127.0.0.1", port: to.port, user: to.user });

function options(knownHosts: string, more: Partial<ConnectOptions> = {}): ConnectOptions {
  return { identityFiles: [host.key.file], agentSocket: undefined, knownHosts: parseKnownHosts(knownHosts, "known_hosts"), ...more };
}

const line = (key: KeyPair | undefined, port = host.port): string => `[127.0.0.1]:${port} ${key?.publicLine}\n`;

describe.skipIf(lacksSshd)("connecting to OpenSSH's server", () => {
  it("runs a command and gives its output and status", async () => {
    await using connection = await connectHost(target(), options(host.knownHosts));
    expect(await connection.exec("echo out; echo err >&2; exit 3")).toEqual({ code: 3, signal: null, stdout: "out\n", stderr: "err\n" });
  });

  it("fails when the host shows another key than the pinned one", async () => {
    await expect(connectHost(target(), options(line(stranger)))).rejects.toMatchObject({ code: "HOST_KEY_CHANGED", exit: 4 });
  });

  it("fails when the host's key is not pinned, and shows its fingerprint", async () => {
    const { stdout } = await run("ssh-keygen", ["-l", "-f", `${host.hostKeys[0]?.file}.pub`]);
    const message = expect.stringContaining(stdout.split(" ")[1] ?? "none");
    await expect(connectHost(target(), options(""))).rejects.toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      message,
      hint: expect.stringContaining("millwright host trust"),
    });
  });

  it("fails when the host's key is revoked", async () => {
    const revoked = `${host.knownHosts}@revoked * ${host.hostKeys[0]?.publicLine}\n`;
    await expect(connectHost(target(), options(revoked))).rejects.toMatchObject({ code: "HOST_KEY_REVOKED" });
  });

  it("fails when only a certificate authority is pinned", async () => {
    await expect(connectHost(target(), options(`@cert-authority * ${host.hostKeys[0]?.publicLine}\n`))).rejects.toMatchObject({ code: "HOST_KEY_UNKNOWN" });
  });

  it("asks for the type of key that is pinned, so that a host with several does not look changed", async () => {
    for (const key of host.hostKeys) {
      await using connection = await connectHost(target(), options(line(key)));
      expect((await connection.exec("true")).code).toBe(0);
    }
  });

  it("fetches the host's key to be compared and pinned, without logging in", async () => {
    const key = await fetchHostKey(target(), options("", { identityFiles: [] }));
    expect(hostKeyType(key)).toBe("ssh-ed25519");
    const { stdout } = await run("ssh-keygen", ["-l", "-f", `${host.hostKeys[0]?.file}.pub`]);
    expect(fingerprint(key)).toBe(stdout.split(" ")[1]);
    await using _ = await connectHost(target(), options(`${knownHostsLine("127.0.0.1", host.port, key)}\n`));
  });

  it("says that the login was refused when the key is not an accepted one", async () => {
    await expect(connectHost(target(), options(host.knownHosts, { identityFiles: [stranger.file] }))).rejects.toMatchObject({ code: "LOGIN_REFUSED", exit: 4 });
  });

  it("says which key cannot be used: absent, not a key, or locked without an agent", async () => {
    const locked = await makeKey(host.directory, "locked", "-N", "passphrase");
    for (const file of [join(host.directory, "absent"), join(host.directory, "sshd_config"), locked.file]) {
      await expect(connectHost(target(), options(host.knownHosts, { identityFiles: [file] }))).rejects.toMatchObject({
        code: "KEY_UNUSABLE",
        subject: expect.stringContaining(file),
      });
    }
    await expect(connectHost(target(), options(host.knownHosts, { identityFiles: [] }))).rejects.toMatchObject({ code: "KEY_UNUSABLE" });
  });

  it("uses one key of an agent that holds many, when that key's file is named", async () => {
    const socket = join(host.directory, "agent.sock");
    const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    try {
      const others = await Promise.all(Array.from({ length: 8 }, (_, index) => makeKey(host.directory, `other${index}`)));
      await run("sh", ["-c", `until [ -S "$SSH_AUTH_SOCK" ]; do :; done; ssh-add -q ${[...others.map(({ file }) => file), host.key.file].join(" ")}`], {
        env: { ...process.env, SSH_AUTH_SOCK: socket },
      });
      await expect(connectHost(target(), options(host.knownHosts, { identityFiles: [], agentSocket: socket }))).rejects.toMatchObject({
        code: "LOGIN_REFUSED",
      });
      await using _ = await connectHost(target(), options(host.knownHosts, { identityFiles: [`${host.key.file}.pub`], agentSocket: socket }));
    } finally {
      agent.kill();
    }
  });

  it("tells a closed port, an unknown name and a host that says nothing", async () => {
    const closed = connectHost({ ...target(), port: await freePort() }, options(host.knownHosts));
    await expect(closed).rejects.toMatchObject({ code: "HOST_UNREACHABLE", message: expect.stringContaining("refuses connections") });
    await expect(connectHost({ ...target(), address: "no-such-host.invalid" }, options(host.knownHosts))).rejects.toMatchObject({ code: "HOST_UNREACHABLE" });
    const mute = createServer().listen(0, "127.0.0.1");
    const address = await new Promise<ReturnType<typeof mute.address>>((resolve) => mute.once("listening", () => resolve(mute.address())));
    const port = address !== null && typeof address === "object" ? address.port : 0;
    await expect(connectHost({ ...target(), port }, options(host.knownHosts, { readyMilliseconds: 200 }))).rejects.toMatchObject({
      code: "HOST_UNREACHABLE",
      message: expect.stringContaining("does not answer"),
    });
    mute.close();
  });

  it("gives up at once when it is told to", async () => {
    const stop = new AbortController();
    const connecting = connectHost(target(), options(host.knownHosts, { signal: stop.signal }));
    stop.abort(new Error("enough"));
    await expect(connecting).rejects.toThrow("enough");
  });
});

describe.skipIf(lacksSshd)("a command over the connection", () => {
  it("gets standard input, text or a stream of any size, unharmed", async () => {
    await using connection = await connectHost(target(), options(host.knownHosts));
    expect((await connection.exec("cat", { stdin: "text\n" })).stdout).toBe("text\n");
    const chunks = Array.from({ length: 24 }, () => randomBytes(256 * 1024 + 7));
    const { stdout } = await connection.exec("sha256sum", { stdin: Readable.from(chunks) });
    expect(stdout.split(" ")[0]).toBe(createHash("sha256").update(Buffer.concat(chunks)).digest("hex"));
  });

  it("gives each line as it arrives, also a last one without an end and one cut within a character", async () => {
    await using connection = await connectHost(target(), options(host.knownHosts));
    const lines: string[] = [];
    await connection.exec(String.raw`printf 'one\nt\303'; sleep 0.1; printf '\274\nthree'`, { onStdoutLine: (text) => lines.push(text) });
    expect(lines).toEqual(["one", "tü", "three"]);
  });

  it("keeps the end of much output", async () => {
    await using connection = await connectHost(target(), options(host.knownHosts));
    const { stdout, code } = await connection.exec("yes 0123456789 | head -c 5000000; echo; echo last");
    expect(code).toBe(0);
    expect(stdout.length).toBeLessThanOrEqual(1024 * 1024);
    expect(stdout.endsWith("last\n")).toBe(true);
  });

  it("holds the host back while its output cannot be taken", async () => {
    await using connection = await connectHost(target(), options(host.knownHosts));
    let bytes = 0;
    let atOnce = 0;
    await connection.exec("head -c 1000000 /dev/zero", {
      onStdout: async (chunk) => {
        atOnce += 1;
        expect(atOnce).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        bytes += chunk.length;
        atOnce -= 1;
      },
    });
    expect(bytes).toBe(1_000_000);
  });

  it("tells the signal that killed it", async () => {
    await using connection = await connectHost(target(), options(host.knownHosts));
    expect(await connection.exec("kill -KILL $$")).toMatchObject({ code: null, signal: expect.stringContaining("KILL") });
  });

  it("may end before it has read its input", async () => {
    await using connection = await connectHost(target(), options(host.knownHosts));
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(64 * 1024);
      })(),
    );
    expect((await connection.exec("exit 4", { stdin: endless })).code).toBe(4);
    expect(endless.destroyed).toBe(true);
  });

  it("fails with the error of a stream that breaks while it is sent", async () => {
    await using connection = await connectHost(target(), options(host.knownHosts));
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from("part");
        throw new Error("file gone");
      })(),
    );
    await expect(connection.exec("cat", { stdin: broken })).rejects.toThrow("file gone");
  });

  it("is no longer waited for when the caller has had enough", async () => {
    await using connection = await connectHost(target(), options(host.knownHosts));
    const stop = new AbortController();
    const running = connection.exec("sleep 5", { signal: stop.signal });
    setImmediate(() => stop.abort(new Error("enough")));
    await expect(running).rejects.toThrow("enough");
    expect((await connection.exec("echo on")).stdout).toBe("on\n");
  });

  it("counts the channels that it costs", async () => {
    await using connection = await connectHost(target(), options(host.knownHosts));
    await connection.exec("true");
    await connection.exec("true");
    expect(connection.channels).toBe(2);
  });

  it("has an unknown outcome when the connection breaks, and the next one fails at once", async () => {
    await using connection = await connectHost(target(), options(host.knownHosts));
    // The parent of the command's shell is the sshd process of this connection.
    const result = await connection.exec("kill -9 $PPID; sleep 5");
    expect(result).toMatchObject({ code: null, signal: null });
    await expect(connection.exec("true")).rejects.toMatchObject({ code: "LINK_LOST" });
  });
});

describe.skipIf(lacksSshd)("connecting through a jump host", () => {
  it("verifies each host against its own name", async () => {
    await using inner = await startSshd();
    const both = options(host.knownHosts + inner.knownHosts, { identityFiles: [host.key.file, inner.key.file] });
    const route: SshTarget = { ...target(inner), jump: target() };
    await using connection = await connectHost(route, both);
    expect((await connection.exec("echo there")).stdout).toBe("there\n");
    const swapped = parseKnownHosts(host.knownHosts + line(host.hostKeys[0], inner.port), "k");
    await expect(connectHost(route, { ...both, knownHosts: swapped })).rejects.toMatchObject({
      code: "HOST_KEY_CHANGED",
      subject: expect.stringContaining(`:${inner.port}`),
    });
    await expect(connectHost(route, { ...both, knownHosts: parseKnownHosts(inner.knownHosts, "k") })).rejects.toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      subject: expect.stringContaining(`:${host.port}`),
    });
  });

  it("fetches a host's key only through a jump host that is pinned", async () => {
    await using inner = await startSshd();
    const route: SshTarget = { ...target(inner), jump: target() };
    expect(knownHostsLine("127.0.0.1", inner.port, await fetchHostKey(route, options(host.knownHosts)))).toBe(
      inner.knownHosts.split(" ").slice(0, 3).join(" "),
    );
    await expect(fetchHostKey(route, options(""))).rejects.toMatchObject({ code: "HOST_KEY_UNKNOWN", subject: expect.stringContaining(`:${host.port}`) });
  });

  it("says that the jump host does not forward, or does not reach the host", async () => {
    const closed: SshTarget = { ...target(), port: await freePort(), jump: target() };
    await expect(connectHost(closed, options(host.knownHosts))).rejects.toMatchObject({ code: "JUMP_REFUSED" });
    await using strict = await startSshd({ settings: ["AllowTcpForwarding no"] });
    const route: SshTarget = { ...target(), jump: target(strict) };
    const both = options(host.knownHosts + strict.knownHosts, { identityFiles: [host.key.file, strict.key.file] });
    await expect(connectHost(route, both)).rejects.toMatchObject({ code: "JUMP_REFUSED", hint: expect.stringContaining("AllowTcpForwarding") });
  });
});

describe.skipIf(lacksSshd)("a host with hardened settings", () => {
  it("is reached with curve25519 and without SHA-1", async () => {
    const settings = [
      "KexAlgorithms curve25519-sha256",
      "Ciphers aes256-gcm@openssh.com,aes128-ctr",
      "MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com",
      "HostKeyAlgorithms ssh-ed25519,rsa-sha2-512",
    ];
    await using hardened = await startSshd({ settings });
    await using connection = await connectHost(target(hardened), options(hardened.knownHosts, { identityFiles: [hardened.key.file] }));
    expect((await connection.exec("echo in")).stdout).toBe("in\n");
  });

  it("is told apart from an absent one when it agrees on no key exchange", async () => {
    await using other = await startSshd({ settings: ["KexAlgorithms sntrup761x25519-sha512@openssh.com"] });
    await expect(connectHost(target(other), options(other.knownHosts))).rejects.toMatchObject({
      code: "HOST_UNREACHABLE",
      hint: expect.stringContaining("curve25519-sha256"),
    });
  });
});
