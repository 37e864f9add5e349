import { createFixture } from "fs-fixture";
import { describe, expect, it } from "vitest";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { checkSite, loadSite } from "../../src/site/load-site.ts";
import { environmentOf } from "../../src/site/site.ts";
import { goodSite, problemsOf, PRODUCTION, siteText, STAGING } from "./site-text.ts";
import { DEFAULT_POLICY } from "../fakes/swap-policy.ts";

async function failureOf(promise: Promise<unknown>): Promise<MillwrightError> {
  return promise.then(
    () => expect.fail("it did not fail"),
    (error: unknown) => {
      if (error instanceof MillwrightError) return error;
      throw error;
    },
  );
}

describe("loading a site", () => {
  it.each(["examples/acme", "examples/minimal", "examples/pair"])("accepts %s", async (directory) => {
    const site = await loadSite(directory);
    expect(site.environments.get("production")?.stack).toBe(`${site.name}-production`);
  });

  it("names the command that makes a site when there is none", async () => {
    await using folder = await createFixture({});
    const error = await failureOf(loadSite(folder.path));
    expect(error).toMatchObject({ code: "SITE_NOT_FOUND", exit: 2, hint: expect.stringContaining("millwright new") });
  });

  it("misses the authority of an offsite repository by its key", async () => {
    const offsite = "backup: { offsite: { kind: s3, endpoint: s3.example.com, bucket: abc, ca: certificates/s3.pem } }";
    await using folder = await createFixture({ "site.yaml": siteText(offsite) });
    const { details } = await failureOf(loadSite(folder.path));
    expect(details).toEqual(["site.yaml:7:71  backup.offsite.ca: the file certificates/s3.pem is not in the site's folder"]);
  });

  it("tells all mistakes in one error, each with line and column", async () => {
    await using folder = await createFixture({ "site.yaml": siteText("sesions: redis\nmonitoring: maybe") });
    const error = await failureOf(loadSite(folder.path));
    expect(error.code).toBe("SITE_INVALID");
    expect(error.details).toEqual([
      'site.yaml:8:1  monitoring: must be true or false, and is "maybe"',
      'site.yaml:7:1  sesions: is not a key that is known here (did you mean "sessions"?)',
    ]);
  });

  it("gives the same mistakes as data", async () => {
    await using folder = await createFixture({ "site.yaml": siteText("sesions: redis") });
    expect(await checkSite(folder.path)).toEqual({
      kind: "bad",
      problems: [{ file: "site.yaml", line: 7, column: 1, path: "sesions", message: "is not a key that is known here", suggestion: "sessions" }],
    });
  });

  it("refuses certificate files that are not in the folder", async () => {
    await using folder = await createFixture({ "site.yaml": siteText().replace("{ kind: ca }", "{ kind: files, chain: certificates/x.pem }") });
    const error = await failureOf(loadSite(folder.path));
    expect(error.details).toEqual(["site.yaml:5:29  certificate.chain: the file certificates/x.pem is not in the site's folder"]);
  });
});

describe("mistakes in site.yaml", () => {
  it.each([
    ["a series that YAML reads as a number", siteText().replace('"19.0"', "19.0"), 'site.yaml:6:9  odoo.series: must be a text: write it in quotes, "19.0"'],
    ["a mistyped choice", siteText("sessions: reddis"), 'site.yaml:7:1  sessions: must be one of "files", "redis", and is "reddis" (did you mean "redis"?)'],
    ["a mistyped nested key", siteText("swap: { baek: 3s }"), 'site.yaml:7:9  swap.baek: is not a key that is known here (did you mean "bake"?)'],
    [
      "a mistyped kind",
      siteText().replace("kind: ca", "kind: acne"),
      'site.yaml:5:16  certificate.kind: must be one of "acme", "files", "ca", and is "acne" (did you mean "acme"?)',
    ],
    ["a duration without a unit", siteText('swap: { bake: "60" }'), "site.yaml:7:9  swap.bake: must be a duration such as 90s, 5min or 1h"],
    ["a wrong name of an environment", siteText("", PRODUCTION.replace("production", "Blue Team")), "site.yaml:9:3  environments.Blue Team: must be up to 16"],
    [
      "a missing value, at its parent",
      siteText("", PRODUCTION.replace("address: 192.0.2.1, ", "")),
      "site.yaml:10:5  environments.production.host.address: is missing",
    ],
    [
      "a value missing in every layer",
      siteText().replace("domain: erp.acme.example", ""),
      "site.yaml:9:3  domain: is missing: state it at the top or under environments.production",
    ],
    ["a key given twice", siteText("name: again"), "site.yaml:7:1  is not YAML here: Map keys must be unique"],
    ["broken YAML", "version: [1\nname: acme", "site.yaml:2:1  is not YAML here:"],
    ["an alias without an anchor", siteText("monitoring: *nothing"), "Unresolved alias"],
    ["an empty file", "", "site.yaml:1:1  must be a map of keys"],
    ["the mark of a secret", siteText().replace("company: Acme", 'company: "<<secret db_odoo>>"'), "site.yaml:3:1  company: must be one line of plain text"],
    ["a line break", siteText().replace("company: Acme", String.raw`company: "a\nb"`), "site.yaml:3:1  company: must be one line of plain text"],
    ["a private-use character", siteText().replace("company: Acme", 'company: "a\u{E000}"'), "site.yaml:3:1  company: must be one line of plain text"],
    [
      "a secret's mark deep in a probe",
      siteText('smoke: [{ kind: jsonrpc, name: a, model: res.users, method: search, args: [[{ x: "<<secret a>>" }]] }]'),
      "smoke[0].args[0]: must be one line of plain text",
    ],
    ["a method that writes", siteText("smoke: [{ kind: jsonrpc, name: a, model: res.users, method: unlink }]"), "smoke[0].method: must be one of"],
    [
      "a public authority for a private name",
      siteText().replace("{ kind: ca }", "{ kind: acme, email: a@acme.example }"),
      "site.yaml:5:16  certificate.kind: no public authority gives a certificate for erp.acme.example",
    ],
    ["a pool around the host", siteText("docker: { pool: 192.0.0.0/16 }"), "site.yaml:7:11  docker.pool: holds host.address 192.0.2.1"],
    [
      "a pool over a plant's network",
      siteText("docker: { pool: 10.0.0.0/8 }\nfirewall: { ssh: [10.9.0.0/24] }"),
      "docker.pool: overlaps firewall.ssh 10.9.0.0/24",
    ],
    ["a range whose address is none", siteText("docker: { pool: 10.300.0.0/16 }"), "docker.pool: must be an IP address and how many of its bits are fixed"],
    ["a range of more bits than there are", siteText("docker: { pool: 10.0.0.0/40 }"), "docker.pool: must be an IP address and how many of its bits are fixed"],
    ["a range with host bits", siteText("docker: { pool: 10.0.0.1/16 }"), "docker.pool: must be an address range"],
    ["a bake shorter than its probes", siteText("swap: { bake: 2s, probe: 1s }"), "swap.bake: must be long enough for swap.rules.probes.failAfter (3)"],
    ["a stage of a canary of a day", siteText("swap: { canary: { percent: [1], stage: 24h } }"), "swap.canary.stage: must be at most 2h"],
    ["a stage of a canary without time to look", siteText("swap: { canary: { percent: [1], stage: 1s } }"), "swap.canary.stage: must be long enough"],
    ["a preview that nobody could see", siteText("swap: { preview: { for: 0s } }"), "swap.preview.for: must be from 1s to 24h"],
    ["a preview of two days", siteText("swap: { preview: { for: 48h } }"), "swap.preview.for: must be from 1s to 24h"],
    ["a bake of half a day", siteText("swap: { bake: 12h }"), "swap.bake: must be at most 2h"],
    [
      "a mistyped rule",
      siteText("swap: { rules: { errors: { shares: 0.1 } } }"),
      'swap.rules.errors.shares: is not a key that is known here (did you mean "share"?)',
    ],
    ["an action that nobody knows", siteText("swap: { rules: { log: { action: ignore } } }"), "swap.rules.log.action"],
    ["a host too small", siteText("", PRODUCTION.replace("4GiB", "2GiB")), "environments.production.host: needs at least 3.8 GiB for 10 users"],
    [
      "two environments on one host",
      siteText("", PRODUCTION + STAGING.replace("192.0.2.2", "192.0.2.1")),
      "environments.staging.host.address: 192.0.2.1 is a host of production already",
    ],
    [
      "two environments of one name",
      siteText("", PRODUCTION + STAGING.replace("domain: staging.acme.example", "domain: erp.acme.example")),
      "environments.staging.domain: erp.acme.example is the domain of production already",
    ],
  ])("are told for %s", (_case, text, expected) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });

  it("are told once when they stand above two environments", () => {
    expect(problemsOf(siteText("swap: { bake: 2s, probe: 1s }", PRODUCTION + STAGING))).toHaveLength(1);
  });
});

describe("an environment", () => {
  it("has every default", () => {
    const environment = environmentOf(goodSite(siteText()), undefined);
    expect(environment).toMatchObject({
      stack: "acme-production",
      sessions: "files",
      odoo: { users: 10, database: "odoo", language: "en_US" },
      host: { port: 22, deploy: "deploy", listen: "0.0.0.0" },
      swap: DEFAULT_POLICY,
      previewSeconds: 7200,
      backup: { at: "02:30", full: 0, drill: 0, keepDays: 14 },
      monitoring: true,
    });
  });

  it("merges maps and replaces lists", () => {
    const overlay = `${STAGING}    odoo: { modules: [stock] }\n    swap: { bake: 20s }\n`;
    const site = goodSite(siteText("swap: { bake: 90s, drain: 7s }", PRODUCTION + overlay));
    expect(environmentOf(site, "staging")).toMatchObject({ odoo: { series: "19.0", modules: ["stock"] }, swap: { bakeSeconds: 20, drainSeconds: 7 } });
    expect(environmentOf(site, "production").swap.bakeSeconds).toBe(90);
  });

  it("has a canary only where stages are named, each with the time that is said once", () => {
    const overlay = `${STAGING}    swap: { canary: { percent: [1, 10, 50] } }\n`;
    const site = goodSite(siteText("swap: { canary: { stage: 2min } }", PRODUCTION + overlay));
    expect(environmentOf(site, "staging").swap.canary).toEqual({ percent: [1, 10, 50], stageSeconds: 120 });
    expect(environmentOf(site, "production").swap.canary).toBeUndefined();
  });

  it("gives testers as long as it says", () => {
    expect(environmentOf(goodSite(siteText("swap: { preview: { for: 20min } }")), undefined).previewSeconds).toBe(1200);
  });

  it("refuses stages that do not rise", () => {
    expect(problemsOf(siteText("swap: { canary: { percent: [10, 1] } }"))).toEqual([expect.stringContaining("must rise from stage to stage")]);
  });

  it("overrides single rules and keeps the others", () => {
    const overlay = `${STAGING}    swap: { rules: { errors: { share: 0.2 }, latency: { floor: 2s } } }\n`;
    const site = goodSite(siteText("swap: { rules: { errors: { action: warn } } }", PRODUCTION + overlay));
    const { rules } = environmentOf(site, "staging").swap;
    expect(rules).toEqual({
      ...DEFAULT_POLICY.rules,
      errors: { ...DEFAULT_POLICY.rules.errors, action: "warn", share: 0.2 },
      latency: { ...DEFAULT_POLICY.rules.latency, floorSeconds: 2 },
    });
  });

  it("replaces a certificate of another kind whole", () => {
    const text = siteText("", `${PRODUCTION}${STAGING}    certificate: { kind: ca }\n`).replace(
      "certificate: { kind: ca }\nodoo",
      "certificate: { kind: acme, email: a@acme.example, directory: https://ca.acme.example/dir }\nodoo",
    );
    expect(environmentOf(goodSite(text), "staging").certificate).toEqual({ kind: "ca" });
  });

  it("is production when there are several and none is named", () => {
    expect(environmentOf(goodSite(siteText("", STAGING + PRODUCTION)), undefined).name).toBe("production");
  });

  it("is refused under a wrong name, with the names there are", () => {
    const site = goodSite(siteText("", PRODUCTION + STAGING));
    expect(() => environmentOf(site, "stagin")).toThrow(
      expect.objectContaining({ code: "ENVIRONMENT_UNKNOWN", hint: "Did you mean staging? There are: production, staging" }),
    );
  });

  it("keeps a company's quotes, dollars and braces as typed", () => {
    const company = `"A" & 'B' $x \${y} {{z}} # : %(c)s \\n ü 漢`;
    const text = siteText().replace("company: Acme", `company: ${JSON.stringify(company)}`);
    expect(goodSite(text).company).toBe(company);
  });
});
