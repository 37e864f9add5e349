import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fingerprint, hostKeyType, knownHostsLine } from "../../src/site/host-key.ts";
import { type HostKeyVerdict, parseKnownHosts } from "../../src/remote/known-hosts.ts";
import { makeKey, run } from "./sshd.ts";

let directory = "";
const keys = { one: "", two: "", ecdsa: "", rsa: "" };
const blob = (line: string): Buffer => Buffer.from(line.split(" ")[1] ?? "", "base64");

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "millwright-known-"));
  keys.one = (await makeKey(directory, "one")).publicLine;
  keys.two = (await makeKey(directory, "two")).publicLine;
  keys.ecdsa = (await makeKey(directory, "ecdsa", "-t", "ecdsa")).publicLine;
  keys.rsa = (await makeKey(directory, "rsa", "-t", "rsa", "-b", "2048")).publicLine;
});
afterAll(() => rm(directory, { recursive: true }));

function verdict(text: string, host: string, port = 22, key = keys.one): HostKeyVerdict {
  return parseKnownHosts(text, "known_hosts").check(host, port, blob(key));
}

describe("known_hosts", () => {
  it("knows a pinned key, and tells another one of the host from an unknown host", () => {
    expect(verdict(`plant ${keys.one}\n`, "plant")).toBe("known");
    expect(verdict(`plant ${keys.two}\n`, "plant")).toBe("changed");
    expect(verdict(`plant ${keys.one}\n`, "other")).toBe("unknown");
  });

  it("takes any of several keys of a host", () => {
    expect(verdict(`plant ${keys.two}\nplant ${keys.one}\n`, "plant")).toBe("known");
  });

  it("does not take a host's key for another host", () => {
    expect(verdict(`a ${keys.one}\nb ${keys.two}\n`, "b")).toBe("changed");
  });

  it("tells ports apart", () => {
    const text = `[plant]:2222 ${keys.one}\n`;
    expect([verdict(text, "plant", 2222), verdict(text, "plant", 22), verdict(text, "plant", 222)]).toEqual(["known", "unknown", "unknown"]);
    expect(verdict(`plant ${keys.one}\n`, "plant", 2222)).toBe("unknown");
  });

  it("puts a revocation above everything", () => {
    expect(verdict(`plant ${keys.one}\n@revoked * ${keys.one}\n`, "plant")).toBe("revoked");
    expect(verdict(`plant ${keys.one}\n@revoked * ${keys.two}\n`, "plant")).toBe("known");
  });

  it("does not take a certificate authority for the host's own key", () => {
    expect(verdict(`@cert-authority * ${keys.one}\n`, "plant")).toBe("authority");
    expect(verdict(`@cert-authority * ${keys.two}\n`, "plant")).toBe("authority");
  });

  it("passes over comments, empty lines and comments behind keys", () => {
    expect(verdict(`# plant\n\n  \nplant ${keys.one} more words\r\n`, "plant")).toBe("known");
  });

  it("lists the types pinned for a host, for the handshake to ask for", () => {
    const known = parseKnownHosts(`plant ${keys.ecdsa}\nplant ${keys.rsa}\nother ${keys.one}\n@revoked plant ${keys.two}\n`, "k");
    expect(known.typesFor("plant", 22)).toEqual(["ecdsa-sha2-nistp256", "ssh-rsa"]);
  });

  it.each([
    ["a line of another kind", "Host plant"],
    ["an unknown marker", "@trusted plant ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="],
    ["a key of another type than it says", "plant ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA=="],
    ["a damaged hashed name", "|1|abc|def ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="],
  ])("refuses %s and names the line, since it might be the one that revokes a key", (_, line) => {
    expect(() => parseKnownHosts(`# first\n${line}\n`, "known_hosts")).toThrow(expect.objectContaining({ code: "SITE_INVALID", subject: "known_hosts:2" }));
  });
});

describe("known_hosts beside ssh-keygen", () => {
  it("agrees on which names a line stands for", async () => {
    const lines = [
      "plant",
      "plant,10.0.0.5",
      "*.works.example",
      "10.0.0.?",
      "*,!secret.works.example",
      "[plant]:2222",
      "[*.works.example]:2222",
      "plant.*",
      "!plant",
      "PLANT",
      "a.b+c",
      "pl*t",
    ];
    const names = [
      "plant",
      "10.0.0.5",
      "10.0.0.55",
      "a.works.example",
      "secret.works.example",
      "works.example",
      "[plant]:2222",
      "[a.works.example]:2222",
      "plant.local",
      "plantx",
      "a.b+c",
      "axb+c",
    ];
    const file = join(directory, "agree");
    for (const line of lines) {
      await writeFile(file, `${line} ${keys.one}\n`);
      const known = parseKnownHosts(await readFile(file, "utf8"), file);
      for (const name of names) {
        const found = await run("ssh-keygen", ["-F", name, "-f", file]).then(
          () => true,
          () => false,
        );
        const [, host = name, port = "22"] = /^\[(.*)\]:(\d+)$/.exec(name) ?? [];
        expect([line, name, known.check(host, Number(port), blob(keys.one)) === "known"]).toEqual([line, name, found]);
      }
    }
  });

  it("reads names that ssh-keygen has hashed", async () => {
    const file = join(directory, "hashed");
    await writeFile(file, `plant,10.0.0.5 ${keys.one}\n[plant]:2222 ${keys.two}\n`);
    await run("ssh-keygen", ["-H", "-f", file]);
    const text = await readFile(file, "utf8");
    expect(text).not.toContain("plant");
    expect([verdict(text, "plant"), verdict(text, "10.0.0.5"), verdict(text, "plant", 2222), verdict(text, "other")]).toEqual([
      "known",
      "known",
      "changed",
      "unknown",
    ]);
  });

  it("prints the same fingerprints", async () => {
    for (const name of ["one", "ecdsa", "rsa"] as const) {
      const { stdout } = await run("ssh-keygen", ["-l", "-f", join(directory, `${name}.pub`)]);
      expect(stdout.split(" ")[1]).toBe(fingerprint(blob(keys[name])));
    }
  });
});

describe("a host key", () => {
  it("tells its type, and that it is none", () => {
    expect([hostKeyType(blob(keys.rsa)), hostKeyType(Buffer.from("nonsense")), hostKeyType(Buffer.alloc(0))]).toEqual(["ssh-rsa", undefined, undefined]);
  });

  it("is pinned by a line that reads back", () => {
    expect(verdict(`${knownHostsLine("Plant.Example", 2222, blob(keys.one))}\n`, "plant.example", 2222)).toBe("known");
  });
});
