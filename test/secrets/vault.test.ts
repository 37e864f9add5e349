import { execFile } from "node:child_process";
import { chmod, readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { generateIdentity, identityToRecipient } from "age-encryption";
import * as fc from "../properties.ts";
import { createFixture } from "fs-fixture";
import { describe, expect, it } from "vitest";
import { redact, Secret } from "../../src/kernel/secret.ts";
import { fillSecrets } from "../../src/secrets/fill-secrets.ts";
import { generateSecret } from "../../src/secrets/generate.ts";
import { ensureIdentity, readIdentity, type Identity } from "../../src/secrets/identity.ts";
import { exchangeRecipients } from "../../src/secrets/exchange-recipients.ts";
import { operatorName, readRecipients, writeRecipients } from "../../src/secrets/recipients.ts";
import { addHostRecipient, ensureSecrets, openSiteVault, rekey, setSecrets } from "../../src/secrets/site-secrets.ts";
import { createVault, openVault } from "../../src/secrets/vault.ts";

async function anIdentity(): Promise<Identity> {
  const identity = await generateIdentity();
  return { identity: new Secret(identity), recipient: await identityToRecipient(identity) };
}

async function aSite(operator: Identity) {
  const folder = await createFixture({});
  await writeRecipients(folder.path, { operators: [{ name: "ann", recipient: operator.recipient }], hosts: {}, holds: {} });
  return folder;
}

const plain = (values: Readonly<Record<string, Secret>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.reveal()]));

describe("a vault", () => {
  it("opens for each of its recipients and gives back any value as it was", async () => {
    const [one, other] = [await anIdentity(), await anIdentity()];
    const value = 'a"b\\c\n$d {{e}} <<secret x>> ü';
    const armored = await createVault({ db_odoo: new Secret(value) }, [one.recipient, other.recipient]);
    expect(plain(await openVault(armored, one.identity))).toEqual({ db_odoo: value });
    expect(plain(await openVault(armored, other.identity))).toEqual({ db_odoo: value });
  });

  it("stays closed for anybody else", async () => {
    const armored = await createVault({ a: new Secret("value of a") }, [(await anIdentity()).recipient]);
    await expect(openVault(armored, (await anIdentity()).identity)).rejects.toMatchObject({ code: "VAULT_LOCKED" });
  });

  it("is refused when a byte of it changed", async () => {
    const operator = await anIdentity();
    const lines = (await createVault({ a: new Secret("value of a") }, [operator.recipient])).split("\n");
    const damaged = lines.map((line, index) => (index === lines.length - 3 ? `${line.startsWith("A") ? "B" : "A"}${line.slice(1)}` : line)).join("\n");
    await expect(openVault(damaged, operator.identity)).rejects.toMatchObject({ code: "VAULT_INVALID" });
    await expect(openVault("no vault", operator.identity)).rejects.toMatchObject({ code: "VAULT_INVALID" });
  });

  it("makes redact mask what it held", async () => {
    const operator = await anIdentity();
    const armored = await createVault({ a: new Secret("held-in-the-vault") }, [operator.recipient]);
    await openVault(armored, operator.identity);
    expect(redact("x held-in-the-vault y")).toBe("x [secret] y");
  });
});

describe("the secrets of a site", () => {
  it("are made once and kept", async () => {
    const operator = await anIdentity();
    await using folder = await aSite(operator);
    expect(await ensureSecrets(folder.path, "production", ["db_odoo", "db_backup"], operator.identity)).toEqual(["db_odoo", "db_backup"]);
    const before = plain(await openSiteVault(folder.path, "production", operator.identity));
    expect(await ensureSecrets(folder.path, "production", ["db_odoo", "redis_odoo"], operator.identity)).toEqual(["redis_odoo"]);
    expect(plain(await openSiteVault(folder.path, "production", operator.identity))).toMatchObject(before);
  });

  it("leave the file's bytes alone when nothing is missing", async () => {
    const operator = await anIdentity();
    await using folder = await aSite(operator);
    await ensureSecrets(folder.path, "production", ["db_odoo"], operator.identity);
    const file = join(folder.path, "secrets/production.age");
    const before = await readFile(file, "utf8");
    await ensureSecrets(folder.path, "production", ["db_odoo"], operator.identity);
    expect(await readFile(file, "utf8")).toBe(before);
  });

  it("open for the environment's host once it is added, and the second adding changes nothing", async () => {
    const [operator, host] = [await anIdentity(), await anIdentity()];
    await using folder = await aSite(operator);
    await ensureSecrets(folder.path, "production", ["db_odoo"], operator.identity);
    expect(await addHostRecipient(folder.path, "production", host.recipient, operator.identity)).toBe(true);
    expect(Object.keys(await openSiteVault(folder.path, "production", host.identity))).toEqual(["db_odoo"]);
    const file = join(folder.path, "secrets/production.age");
    const before = await readFile(file, "utf8");
    expect(await addHostRecipient(folder.path, "production", host.recipient, operator.identity)).toBe(false);
    expect(await readFile(file, "utf8")).toBe(before);
  });

  it("open for its standby too, and for both when the two have exchanged their places", async () => {
    const [operator, host, standby] = [await anIdentity(), await anIdentity(), await anIdentity()];
    await using folder = await aSite(operator);
    await ensureSecrets(folder.path, "production", ["db_odoo"], operator.identity);
    await addHostRecipient(folder.path, "production", host.recipient, operator.identity);
    expect(await addHostRecipient(folder.path, "production", standby.recipient, operator.identity, "production-standby")).toBe(true);
    await exchangeRecipients(folder.path, "production");
    expect((await readRecipients(folder.path)).hosts).toEqual({ production: standby.recipient, "production-standby": host.recipient });
    await setSecrets(folder.path, "production", { tls_key: new Secret("the key of production") }, operator.identity);
    for (const { identity } of [host, standby]) expect(Object.keys(await openSiteVault(folder.path, "production", identity))).toContain("tls_key");
  });

  it("stay closed for another environment's host", async () => {
    const [operator, host] = [await anIdentity(), await anIdentity()];
    await using folder = await aSite(operator);
    await ensureSecrets(folder.path, "production", ["db_odoo"], operator.identity);
    await ensureSecrets(folder.path, "staging", ["db_odoo"], operator.identity);
    await addHostRecipient(folder.path, "staging", host.recipient, operator.identity);
    await setSecrets(folder.path, "production", { tls_key: new Secret("the key of production") }, operator.identity);
    await expect(openSiteVault(folder.path, "production", host.identity)).rejects.toMatchObject({ code: "VAULT_LOCKED" });
  });

  it("close for an operator who is taken off", async () => {
    const [operator, leaver] = [await anIdentity(), await anIdentity()];
    await using folder = await aSite(operator);
    await ensureSecrets(folder.path, "production", ["db_odoo"], operator.identity);
    const both = [
      { name: "ann", recipient: operator.recipient },
      { name: "bob", recipient: leaver.recipient },
    ];
    await rekey(folder.path, ["production"], { operators: both, hosts: {}, holds: {} }, operator.identity);
    await openSiteVault(folder.path, "production", leaver.identity);
    await rekey(folder.path, ["production"], { operators: both.slice(0, 1), hosts: {}, holds: {} }, leaver.identity);
    await expect(openSiteVault(folder.path, "production", leaver.identity)).rejects.toMatchObject({ code: "VAULT_LOCKED" });
    expect((await readRecipients(folder.path)).operators.map(({ name }) => name)).toEqual(["ann"]);
  });

  it("are marked while they are encrypted for others, so that a cut in between is seen, and whole after the next time", async () => {
    const operator = await anIdentity();
    await using folder = await aSite(operator);
    for (const name of ["production", "staging"]) await ensureSecrets(folder.path, name, ["db_odoo"], operator.identity);
    const safe = await anIdentity();
    const recipients = { ...(await readRecipients(folder.path)), recovery: safe.recipient };
    // No such key: the first vault is written by then.
    const cut = { ...recipients, hosts: { staging: `age1${"q".repeat(58)}` } };
    await expect(rekey(folder.path, ["production", "staging"], cut, operator.identity)).rejects.toThrow();
    await openSiteVault(folder.path, "production", safe.identity);
    expect(await readRecipients(folder.path)).toMatchObject({ unfinished: true });
    expect(await readRecipients(folder.path)).not.toHaveProperty("recovery");
    await ensureSecrets(folder.path, "production", ["another"], operator.identity);
    expect(await readRecipients(folder.path)).toMatchObject({ unfinished: true });

    await rekey(folder.path, ["production", "staging"], await readRecipients(folder.path), operator.identity);
    expect(await readRecipients(folder.path)).not.toHaveProperty("unfinished");
    await expect(openSiteVault(folder.path, "production", safe.identity)).rejects.toMatchObject({ code: "VAULT_LOCKED" });
  });

  it("are named as missing when an environment has no vault", async () => {
    const operator = await anIdentity();
    await using folder = await aSite(operator);
    await expect(openSiteVault(folder.path, "production", operator.identity)).rejects.toMatchObject({ code: "VAULT_MISSING" });
  });
});

describe("an operator's name in the list of recipients", () => {
  it.each([
    ["ann", "ann"],
    ["ci-runner_1", "ci-runner_1"],
    ["ACME\\Jörg Müller", "ACME-Jorg-Muller"],
    [".hidden", "hidden"],
    ["山田", "operator"],
    ["", "operator"],
    ["x".repeat(200), "x".repeat(61)],
  ])("is made of the account's name, whatever that is: %j", async (account, name) => {
    expect(operatorName(account)).toBe(name);
    await using folder = await createFixture({});
    await writeRecipients(folder.path, { operators: [{ name: operatorName(account), recipient: (await anIdentity()).recipient }], hosts: {}, holds: {} });
  });
});

describe("an operator's identity", () => {
  it("is not there at all when the disk is full, instead of an empty file that would be taken for it", async () => {
    await using folder = await createFixture({});
    const path = join(folder.path, "config/identity");
    const script = `import { ensureIdentity } from "${resolve("src/secrets/identity.ts")}"; await ensureIdentity("${path}").catch((error) => console.log(error.code));`;
    // No file may grow: what a full disk does, for this one process.
    const limited = ["-c", 'ulimit -f 0; exec "$@"', "sh", process.execPath, "--import", "tsx", "--input-type=module", "-e", script];
    const { stdout } = await promisify(execFile)("sh", limited);
    expect(stdout.trim()).toBe("EFBIG");
    expect(await readdir(join(folder.path, "config"))).toEqual([]);
  });

  it("is made once, for its owner's eyes only", async () => {
    await using folder = await createFixture({});
    const path = join(folder.path, "config/identity");
    const first = await ensureIdentity(path);
    expect(first.created).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await ensureIdentity(path)).toMatchObject({ created: false, recipient: first.recipient });
  });

  it("is refused when others can read it", async () => {
    await using folder = await createFixture({});
    const path = join(folder.path, "identity");
    await ensureIdentity(path);
    await chmod(path, 0o640);
    await expect(readIdentity(path)).rejects.toMatchObject({ code: "IDENTITY_UNSAFE", hint: expect.stringContaining("chmod 600") });
  });

  it("is missing when the file holds none", async () => {
    await using folder = await createFixture({ identity: "something else\n" });
    await chmod(join(folder.path, "identity"), 0o600);
    await expect(readIdentity(join(folder.path, "identity"))).rejects.toMatchObject({ code: "IDENTITY_MISSING" });
    await expect(readIdentity(join(folder.path, "absent"))).rejects.toMatchObject({ code: "IDENTITY_MISSING" });
  });
});

describe("a generated secret", () => {
  it("needs no quoting anywhere and keeps all its random bits", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const value = generateSecret({ bytes: () => bytes }).reveal();
        expect(value).toMatch(/^s[A-Za-z0-9_-]{43}$/);
        expect([...Buffer.from(value.slice(1), "base64url")]).toEqual([...bytes]);
      }),
    );
  });
});

describe("filling secrets in", () => {
  it("puts each value in its place as it is", () => {
    const values = { a: new Secret("$& $1 <<secret b>>"), b: new Secret("second") };
    expect(fillSecrets("x=<<secret a>>\ny=<<secret b>>,<<secret b>>\n", values)).toBe("x=$& $1 <<secret b>>\ny=second,second\n");
  });

  it("names everything that the vault lacks", () => {
    expect(() => fillSecrets("<<secret b>> <<secret a>> <<secret constructor>>", { a: new Secret("x") })).toThrow(
      expect.objectContaining({ code: "SECRET_MISSING", subject: "b, constructor" }),
    );
  });

  it("refuses a reference that is not well formed instead of passing it on", () => {
    expect(() => fillSecrets("<<secret A>>", {})).toThrow(expect.objectContaining({ code: "SECRET_MISSING" }));
  });
});
