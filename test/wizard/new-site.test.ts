import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "../properties.ts";
import { createFixture } from "fs-fixture";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { systemClock } from "../../src/kernel/clock.ts";
import { checkCertificate } from "../../src/secrets/check-certificate.ts";
import { readIdentity } from "../../src/secrets/identity.ts";
import { issueLeaf, makeAuthority } from "../../src/secrets/own-ca.ts";
import { openSiteVault } from "../../src/secrets/site-secrets.ts";
import { loadSite, parseSite } from "../../src/site/load-site.ts";
import { isPlainText } from "../../src/site/site-values.ts";
import { type Answers, type AnswersSoFar, wholeAnswersSchema } from "../../src/wizard/answers.ts";
import type { Ask } from "../../src/wizard/ask.ts";
import { inquirerAsk } from "../../src/wizard/inquirer-ask.ts";
import { newSite } from "../../src/wizard/new-site.ts";
import { siteDocument } from "../../src/wizard/site-document.ts";
import { fakeAsk } from "./fake-ask.ts";

const GIVEN = {
  company: "Acme Pumps",
  users: 10,
  domain: "erp.acme.example",
  certificate: "ca",
  address: "192.0.2.1",
  admin: "admin",
  memory: "4GiB",
  cpus: 2,
} as const;

const WHOLE: Answers = wholeAnswersSchema.parse({
  ...GIVEN,
  name: "acme",
  series: "19.0",
  modules: ["mrp"],
  port: 22,
  jump: "",
  mirror: "",
  dataDisk: "",
  sessions: "files",
  staging: false,
});

const nobody = (): Ask => inquirerAsk({ interactive: false, signal: new AbortController().signal });

/** The operator's own certificate and its key, as answers. */
async function issued(folder: string) {
  const authority = await makeAuthority({ company: "Acme", domains: ["acme.example"], clock: systemClock });
  const leaf = await issueLeaf({ authority, domain: "erp.acme.example", clock: systemClock });
  const [certificateChain, certificateKey] = [join(folder, "my.pem"), join(folder, "my.key")];
  await Promise.all([writeFile(certificateChain, leaf.chain), writeFile(certificateKey, leaf.key.reveal())]);
  return { certificateChain, certificateKey };
}

function make(folder: string, given: AnswersSoFar = GIVEN, ask: Ask = nobody(), name = "site", said: string[] = []) {
  return newSite({
    directory: join(folder, name),
    from: folder,
    given,
    ask,
    say: (line) => void said.push(line),
    identityFile: join(folder, "config/identity"),
    operator: "ann",
    secretNames: ({ sessions }) => ["db_odoo", ...(sessions === "redis" ? ["redis_odoo"] : [])],
    clock: systemClock,
  });
}

describe("a new site", () => {
  it("is a folder that loads, with vault and certificate", async () => {
    await using folder = await createFixture({});
    const made = await make(folder.path);
    const site = await loadSite(made.directory);
    expect(site.environments.get("production")).toMatchObject({ domain: "erp.acme.example", odoo: { users: 10 }, host: { admin: "admin" } });
    const { identity } = await readIdentity(join(folder.path, "config/identity"));
    const vault = await openSiteVault(made.directory, "production", identity);
    expect(Object.keys(vault).sort()).toEqual(["db_odoo", "tls_key"]);
    const chain = await readFile(join(made.directory, "certificates/production.pem"), "utf8");
    checkCertificate(chain, vault["tls_key"] ?? expect.fail("no key"), "erp.acme.example", systemClock);
  });

  it("leads into its folder before the next command, unless one is there", async () => {
    await using folder = await createFixture({});
    expect((await make(folder.path, GIVEN, nobody(), "my plant")).next.at(-1)).toBe("Next: cd 'my plant', then millwright host trust production");
    expect((await make(folder.path, GIVEN, nobody(), ".")).next.at(-1)).toBe("Next: millwright host trust production");
  });

  it("is refused with its path where there can be no folder", async () => {
    await using folder = await createFixture({ file: "" });
    for (const name of ["file", "file/x", "../../../../../../../proc/x"]) {
      await expect(make(folder.path, GIVEN, nobody(), name)).rejects.toMatchObject({
        code: "FILE_REFUSED",
        subject: expect.stringMatching(/(file|proc)/) as string,
      });
    }
  });

  it("holds no secret in plain text and no private key", async () => {
    await using folder = await createFixture({});
    const made = await make(folder.path);
    const { identity } = await readIdentity(join(folder.path, "config/identity"));
    const values = Object.values(await openSiteVault(made.directory, "production", identity)).map((secret) => secret.reveal());
    for (const file of made.files) {
      const text = await readFile(join(made.directory, file), "utf8");
      for (const value of [...values, "PRIVATE KEY", identity.reveal()]) expect(text).not.toContain(value);
    }
  });

  it("gives staging a vault and a certificate of its own", async () => {
    await using folder = await createFixture({});
    const made = await make(folder.path, { ...GIVEN, staging: true, stagingAddress: "192.0.2.2" });
    expect(made.environments).toEqual(["production", "staging"]);
    expect(made.files).toEqual(expect.arrayContaining(["certificates/staging.pem", "secrets/staging.age", "secrets/production.age"]));
  });

  it("takes the operator's certificate files, and their key into the vault", async () => {
    await using folder = await createFixture({});
    const files = await issued(folder.path);
    const made = await make(folder.path, { ...GIVEN, certificate: "files", ...files });
    const { identity } = await readIdentity(join(folder.path, "config/identity"));
    expect((await openSiteVault(made.directory, "production", identity))["tls_key"]?.reveal()).toBe(await readFile(files.certificateKey, "utf8"));
    expect(await readFile(join(made.directory, "certificates/production.pem"), "utf8")).toBe(await readFile(files.certificateChain, "utf8"));
  });

  it("is not begun when the operator's certificate is for another domain", async () => {
    const authority = await makeAuthority({ company: "Acme", domains: ["acme.example"], clock: systemClock });
    const leaf = await issueLeaf({ authority, domain: "www.acme.example", clock: systemClock });
    await using folder = await createFixture({ "my.pem": leaf.chain, "my.key": leaf.key.reveal() });
    const files = { certificate: "files", certificateChain: join(folder.path, "my.pem"), certificateKey: join(folder.path, "my.key") } as const;
    await expect(make(folder.path, { ...GIVEN, ...files })).rejects.toMatchObject({ code: "CERTIFICATE_INVALID" });
    expect((await readdir(folder.path)).sort()).toEqual(["my.key", "my.pem"]);
  });

  it("takes a certificate's file at its question only if it is there and serves the domain", async () => {
    await using folder = await createFixture({ "my.pem": "not PEM" });
    const asking = (file: string) => make(folder.path, { ...GIVEN, certificate: "files" }, fakeAsk({ certificateChain: join(folder.path, file) }));
    await expect(asking("none.pem")).rejects.toThrow(/"certificateChain": .*none\.pem cannot be read: there is no such file\./);
    await expect(asking("my.pem")).rejects.toThrow(/"certificateChain": chain or key is not PEM/);
  });

  it("asks again for a kept answer whose file has gone, and says so", async () => {
    await using folder = await createFixture({});
    const { certificateChain, certificateKey } = await issued(folder.path);
    const kept = { ...GIVEN, certificate: "files", certificateChain: join(folder.path, "gone.pem"), certificateKey };
    await mkdir(join(folder.path, "site/.millwright"), { recursive: true });
    await folder.writeJson("site/.millwright/answers.json", kept);
    const said: string[] = [];
    const ask = fakeAsk({ certificateChain, certificateKey, proceed: true });
    await make(folder.path, {}, ask, "site", said);
    expect(ask.asked).toContain("certificateChain");
    expect(ask.asked).not.toContain("certificateKey");
    expect(said.join("\n")).toContain(`File of the certificate: ${join(folder.path, "gone.pem")} cannot be read: there is no such file.`);
  });

  it("never replaces one that is there", async () => {
    await using folder = await createFixture({ "site/site.yaml": "mine" });
    await expect(make(folder.path)).rejects.toMatchObject({ code: "SITE_EXISTS" });
    expect(await readFile(join(folder.path, "site/site.yaml"), "utf8")).toBe("mine");
  });

  it("keeps what a folder has, such as its README", async () => {
    await using folder = await createFixture({ "site/README.md": "mine", "site/addons/acme/__init__.py": "" });
    const made = await make(folder.path);
    expect(await readFile(join(made.directory, "README.md"), "utf8")).toBe("mine");
    await loadSite(made.directory);
  });

  it("is refused in a folder with secrets of another, and changes nothing there", async () => {
    await using folder = await createFixture({ "site/secrets/production.age": "mine" });
    await expect(make(folder.path)).rejects.toMatchObject({ code: "SITE_EXISTS", details: ["secrets/production.age"] });
    expect(await readdir(join(folder.path, "site"), { recursive: true })).toEqual(["secrets", "secrets/production.age"]);
  });

  it("leaves nothing half-written when it fails", async () => {
    await using folder = await createFixture({});
    await expect(make(folder.path, { ...GIVEN, certificate: "acme", acmeEmail: "it@acme.example" })).rejects.toMatchObject({
      code: "SITE_INVALID",
      details: [expect.stringContaining("no public authority gives a certificate for erp.acme.example")],
    });
    expect((await readdir(folder.path)).sort()).toEqual(["config"]);
  });

  it("takes the kept answers away once it is written", async () => {
    await using folder = await createFixture({});
    const made = await make(folder.path, {}, fakeAsk({ ...GIVEN, proceed: true }));
    await expect(stat(join(made.directory, ".millwright/answers.json"))).rejects.toMatchObject({ code: "ENOENT" });
    await expect(stat(join(made.directory, ".millwright/site.schema.json"))).resolves.toBeDefined();
  });

  it("uses the operator's identity when there is one", async () => {
    await using folder = await createFixture({});
    const first = await make(folder.path);
    const second = await make(folder.path, GIVEN, nobody(), "second");
    expect(first.identityCreated).toBe(true);
    expect(second).toMatchObject({ identityCreated: false, recipient: first.recipient });
  });
});

describe("the written site.yaml", () => {
  it("carries any allowed company name as typed", () => {
    const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }).filter((value) => value.length <= 100 && isPlainText(value));
    const hostile = fc.constantFrom(
      "a: b",
      "# c",
      "- d",
      "*e",
      "&f",
      "!g",
      "%h",
      "@i",
      "'j",
      '"k',
      "{{l}}",
      "$m ${n}",
      "null",
      "yes",
      "1_000",
      "2026-11-24",
      "0755",
      "~",
      "|",
      ">",
      "<<",
    );
    fc.assert(
      fc.property(fc.oneof(name, hostile), (company) => {
        const parsed = parseSite(siteDocument({ ...WHOLE, company }), "/site");
        expect(parsed.kind === "good" ? parsed.site.company : parsed.problems).toBe(company);
      }),
    );
  });

  it("points editors to the schema in its first line and explains its keys", () => {
    const text = siteDocument(WHOLE);
    expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=.millwright/site.schema.json");
    expect(text).toContain("# People who work in Odoo at the same time");
  });

  it("says no more than was answered about jump host, mirror and disk", () => {
    const data: unknown = parse(siteDocument({ ...WHOLE, jump: "me@jump.example:2222", mirror: "http://mirror.example:5000", dataDisk: "/dev/sdb" }));
    expect(data).toMatchObject({
      docker: { mirrors: ["http://mirror.example:5000"] },
      environments: { production: { dataDisk: "/dev/sdb", host: { jump: { address: "jump.example", port: 2222, user: "me" } } } },
    });
    expect(Object.keys(parse(siteDocument(WHOLE)) as object)).not.toContain("docker");
  });
});
