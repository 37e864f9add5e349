import { execFile } from "node:child_process";
import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { secretsListCommand, secretsRekeyCommand, secretsSetCommand, secretsShowCommand } from "../../src/cli/commands/secrets.ts";
import type { CliContext } from "../../src/cli/context.ts";
import { Output } from "../../src/cli/output.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { renderedStack } from "../../src/cli/rendered-stack.ts";
import { loadTarget } from "../../src/cli/target.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { ensureIdentity } from "../../src/secrets/identity.ts";
import { readRecipients, writeRecipients } from "../../src/secrets/recipients.ts";
import { openSiteVault } from "../../src/secrets/site-secrets.ts";

let folder: string;
let written: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millwright-secrets-"));
  written = "";
  await cp("examples/minimal", join(folder, "site"), { recursive: true });
  await renderedStack(await loadTarget({}, context()), context());
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function context(over: Partial<CliContext> = {}, mode: "text" | "json" = "text"): CliContext {
  const stdout = { write: (text: string): void => void (written += text) };
  return {
    directory: join(folder, "site"),
    environment: {},
    home: folder,
    user: "ann",
    interactive: false,
    output: new Output({ mode, streams: { stdout, stderr: { write: () => {} } }, colour: false, live: false, debug: false }),
    clock: systemClock,
    signal: new AbortController().signal,
    configDirectory: join(folder, "config"),
    input: undefined,
    ...over,
  };
}

const piped = (value: string): CliContext => context({ input: async () => value });

async function valueOf(name: string): Promise<string | undefined> {
  const { identity } = await ensureIdentity(join(folder, "config/identity"));
  return (await openSiteVault(join(folder, "site"), "production", identity))[name]?.reveal();
}

/** All bytes of the site folder as text. */
async function siteBytes(): Promise<string> {
  const names = await readdir(join(folder, "site"), { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name), "latin1"));
  return (await Promise.all(files)).join("\n");
}

describe("a secret that only the operator has", () => {
  const BUCKET = "\nbackup: { offsite: { kind: s3, endpoint: s3.example.com, bucket: acme, ca: certificates/s3.pem } }\n";

  async function addBucket(): Promise<void> {
    await appendFile(join(folder, "site/site.yaml"), BUCKET);
    await writeFile(join(folder, "site/certificates/s3.pem"), "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
  }

  it("is asked for by name before anything is rendered, and is never made up", async () => {
    await addBucket();
    const error: unknown = await renderedStack(await loadTarget({}, context()), context()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "SECRET_MISSING", subject: "backup_s3_key, backup_s3_secret" });
    expect((error as { hint: string }).hint).toContain("millwright secrets set backup_s3_key production");
    expect(await valueOf("backup_s3_key")).toBeUndefined();
    const { text } = await secretsListCommand({}, context());
    expect(text).toContain("only you have it: millwright secrets set backup_s3_secret production");
  });

  it("lets the site be rendered once it is set", async () => {
    await addBucket();
    for (const name of ["backup_s3_key", "backup_s3_secret"]) await secretsSetCommand({ name }, piped("AKIAEXAMPLE/with+signs="));
    const { facts } = await renderedStack(await loadTarget({}, context()), context());
    expect(facts.backup.offsite).toEqual({ place: "s3.example.com:443/acme/", keepDays: 35 });
  });
});

describe("secrets list", () => {
  it("names the secrets and who can open them, and holds no value", async () => {
    const { text, data } = await secretsListCommand({}, context());
    expect(text).toMatch(/production +odoo_admin +held/);
    expect(text).toMatch(/ann +every vault +age1/);
    expect(JSON.stringify(data) + text).not.toContain(await valueOf("odoo_admin"));
  });
});

describe("secrets show", () => {
  it("prints the one that was asked for, as it is", async () => {
    const shown = context();
    shown.output.result("secrets show", await secretsShowCommand({ name: "odoo_admin" }, shown));
    expect(written).toBe(`${await valueOf("odoo_admin")}\n`);
  });

  it("gives it as a field of the one document with --json", async () => {
    const shown = context({}, "json");
    shown.output.result("secrets show", await secretsShowCommand({ name: "odoo_admin" }, shown));
    expect(JSON.parse(written)).toMatchObject({ ok: true, data: { name: "odoo_admin", value: await valueOf("odoo_admin") } });
  });

  it("says which name was meant", async () => {
    await expect(secretsShowCommand({ name: "odo_admin" }, context())).rejects.toMatchObject({
      code: "SECRET_UNKNOWN",
      message: expect.stringContaining("did you mean odoo_admin") as string,
    });
  });
});

describe("secrets set", () => {
  it("takes the value from standard input into the vault and leaves it nowhere else", async () => {
    await secretsSetCommand({ name: "odoo_admin", yes: true }, piped("a-password-of-the-plant\n"));
    expect(await valueOf("odoo_admin")).toBe("a-password-of-the-plant");
    expect(await siteBytes()).not.toContain("a-password-of-the-plant");
  });

  it("replaces nothing without a yes", async () => {
    const before = await valueOf("db_odoo");
    await expect(secretsSetCommand({ name: "db_odoo" }, piped("another-password"))).rejects.toMatchObject({ code: "ANSWER_MISSING" });
    expect(await valueOf("db_odoo")).toBe(before);
  });

  it.each(["short", "with space in it", "two\nlines-of-it"])("refuses a value that a file on the host could not hold: %j", async (value) => {
    await expect(secretsSetCommand({ name: "db_odoo", yes: true }, piped(value))).rejects.toMatchObject({ code: "SECRET_INVALID", exit: 2 });
  });

  it("takes no value from the command line", async () => {
    const { root } = buildProgram(context(), () => {});
    const set = root.commands.find((command) => command.name() === "secrets")?.commands.find((command) => command.name() === "set");
    expect(set?.registeredArguments.map((argument) => argument.name())).toEqual(["name", "env"]);
    expect(set?.options.flatMap((option) => (option.required ? [option.long] : []))).toEqual(["--site"]);
  });

  it("asks for the value on standard input when there is nobody to type it", async () => {
    await expect(secretsSetCommand({ name: "odoo_admin", yes: true }, context())).rejects.toMatchObject({
      code: "ANSWER_MISSING",
      hint: expect.stringContaining("standard input") as string,
    });
  });

  it("leaves the key of a certificate that it makes itself alone", async () => {
    await expect(secretsSetCommand({ name: "tls_key", yes: true }, piped("x"))).rejects.toMatchObject({ code: "SECRET_INVALID" });
  });
});

describe("secrets rekey", () => {
  it("lets exactly those open the vaults whom the list names", async () => {
    const site = join(folder, "site");
    const colleague = await ensureIdentity(join(folder, "colleague"));
    const before = await readRecipients(site);
    await writeRecipients(site, { ...before, operators: [...before.operators, { name: "bob", recipient: colleague.recipient }] });
    await expect(openSiteVault(site, "production", colleague.identity)).rejects.toMatchObject({ code: "VAULT_LOCKED" });
    expect((await secretsRekeyCommand({}, context())).text).toContain("ann, bob");
    expect((await openSiteVault(site, "production", colleague.identity))["odoo_admin"]?.reveal()).toBe(await valueOf("odoo_admin"));
    await writeRecipients(site, before);
    await secretsRekeyCommand({}, context());
    await expect(openSiteVault(site, "production", colleague.identity)).rejects.toMatchObject({ code: "VAULT_LOCKED" });
  });

  it("does not lock out the one who runs it", async () => {
    const site = join(folder, "site");
    const colleague = await ensureIdentity(join(folder, "colleague"));
    await writeRecipients(site, { ...(await readRecipients(site)), operators: [{ name: "bob", recipient: colleague.recipient }] });
    await expect(secretsRekeyCommand({}, context())).rejects.toMatchObject({ code: "VAULT_LOCKED", hint: expect.stringContaining("age1") as string });
    expect(await valueOf("odoo_admin")).toBeDefined();
  });
});

describe("the key for an offsite repository over SFTP", () => {
  const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFQzIIBPNDfkLRYS1pZ0zQ8eE3VdHjTCMYp4hTnq1yFi";

  async function keyFile(name: string, ...words: string[]): Promise<string> {
    await promisify(execFile)("ssh-keygen", ["-q", ...words, "-f", join(folder, name)]);
    return await readFile(join(folder, name), "utf8");
  }

  beforeEach(async () => {
    const offsite = `{ kind: sftp, server: nas.plant.lan, user: backup, path: /plant, hostKeys: [${HOST_KEY}] }`;
    await appendFile(join(folder, "site/site.yaml"), `\nbackup: { offsite: ${offsite} }\n`);
  });

  it.each([["ed25519"], ["ecdsa"], ["rsa", "-m", "PEM"]])("is taken with all its lines, of the type %s", async (...type) => {
    const key = await keyFile("backup", "-N", "", "-t", ...type);
    await secretsSetCommand({ name: "backup_sftp_key" }, piped(key));
    expect(await valueOf("backup_sftp_key")).toBe(key);
    await secretsSetCommand({ name: "backup_sftp_key", yes: true }, piped(key.replaceAll("\n", "\r\n")));
    expect(await valueOf("backup_sftp_key")).toBe(key);
    const { facts } = await renderedStack(await loadTarget({}, context()), context());
    expect(facts.backup.offsite).toEqual({ place: "backup@nas.plant.lan:22/plant", keepDays: 35 });
  });

  it("is refused with a passphrase, as its public half, and as something else, with the words that make one", async () => {
    const locked = await keyFile("locked", "-t", "ed25519", "-N", "a passphrase");
    for (const value of [locked, await readFile(join(folder, "locked.pub"), "utf8"), "a-password-of-the-plant"]) {
      await expect(secretsSetCommand({ name: "backup_sftp_key" }, piped(value))).rejects.toMatchObject({
        code: "SECRET_INVALID",
        hint: expect.stringContaining('ssh-keygen -t ed25519 -N ""') as string,
      });
    }
    expect(await valueOf("backup_sftp_key")).toBeUndefined();
  });

  it("is asked for as a file: no prompt takes many lines", async () => {
    await expect(secretsSetCommand({ name: "backup_sftp_key" }, context())).rejects.toMatchObject({
      code: "ANSWER_MISSING",
      hint: expect.stringContaining("secrets set backup_sftp_key < ") as string,
    });
  });
});

describe("a certificate's key", () => {
  it("is taken when it is that of the chain in the folder, and only then", async () => {
    const site = join(folder, "site");
    const make = async (name: string): Promise<void> => {
      const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=x"];
      await promisify(execFile)("openssl", [...words, "-addext", "subjectAltName=DNS:erp.minimal.example", "-keyout", `${name}.key`, "-out", `${name}.pem`], {
        cwd: folder,
      });
    };
    await make("one");
    await make("other");
    const text = (await readFile(join(site, "site.yaml"), "utf8")).replace("kind: ca", "kind: files\n  chain: certificates/production.pem");
    await cp(join(folder, "one.pem"), join(site, "certificates/production.pem"));
    await writeFile(join(site, "site.yaml"), text);
    const key = async (name: string): Promise<CliContext> => piped(await readFile(join(folder, `${name}.key`), "utf8"));
    await expect(secretsSetCommand({ name: "tls_key", yes: true }, await key("other"))).rejects.toMatchObject({ code: "SECRET_INVALID" });
    await secretsSetCommand({ name: "tls_key", yes: true }, await key("one"));
    expect(await valueOf("tls_key")).toBe(await readFile(join(folder, "one.key"), "utf8"));
  });
});
