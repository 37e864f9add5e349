import { X509Certificate } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, connect } from "node:tls";
import { join } from "node:path";
import { createFixture } from "fs-fixture";
import { describe, expect, it } from "vitest";
import { systemClock, type Clock } from "../../src/kernel/clock.ts";
import { checkCertificate } from "../../src/secrets/check-certificate.ts";
import { ensureSiteSecrets } from "../../src/secrets/ensure-site-secrets.ts";
import { ensureIdentity } from "../../src/secrets/identity.ts";
import { issueLeaf, makeAuthority } from "../../src/secrets/own-ca.ts";
import { openSiteVault } from "../../src/secrets/site-secrets.ts";
import { loadSite } from "../../src/site/load-site.ts";
import { environmentOf } from "../../src/site/site.ts";
import { PRODUCTION, siteText, STAGING } from "../site/site-text.ts";

const DAY = 86_400_000;
const DOMAINS = ["erp.acme.example", "staging.acme.example"];

function clockAt(iso: string): Clock {
  return { ...systemClock, now: () => Date.parse(iso) };
}

describe("the site's own authority", () => {
  it("issues a certificate that a TLS client accepts when it trusts the authority", async () => {
    const authority = await makeAuthority({ company: 'Acme "Söhne" #1', domains: DOMAINS, clock: systemClock });
    const leaf = await issueLeaf({ authority, domain: "erp.acme.example", clock: systemClock });
    const server = createServer({ cert: leaf.chain, key: leaf.key.reveal() }, (socket) => socket.end());
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const isTrusted = await new Promise<boolean>((resolve, reject) => {
      const client = connect({ host: "127.0.0.1", port, servername: "erp.acme.example", ca: authority.certificate }, () => resolve(client.authorized));
      client.on("error", reject);
      client.resume();
    });
    server.close();
    expect(isTrusted).toBe(true);
  });

  it("gives a certificate 397 days and itself ten years", async () => {
    const clock = clockAt("2026-11-24T02:00:00Z");
    const authority = await makeAuthority({ company: "Acme", domains: DOMAINS, clock });
    const leaf = new X509Certificate((await issueLeaf({ authority, domain: "erp.acme.example", clock })).chain);
    expect((Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / DAY).toBe(397);
    const own = new X509Certificate(authority.certificate);
    expect(own.ca).toBe(true);
    expect((Date.parse(own.validTo) - Date.parse(own.validFrom)) / DAY).toBe(3650);
  });

  it("does not vouch for a domain it was not made for", async () => {
    const authority = await makeAuthority({ company: "Acme", domains: DOMAINS, clock: systemClock });
    await expect(issueLeaf({ authority, domain: "bank.example", clock: systemClock })).rejects.toMatchObject({ code: "CERTIFICATE_INVALID" });
    await expect(issueLeaf({ authority, domain: "www.erp.acme.example", clock: systemClock })).resolves.toBeDefined();
  });
});

describe("a certificate from files", () => {
  it("is refused for another domain, with another key, or after its end", async () => {
    const clock = clockAt("2026-11-24T02:00:00Z");
    const authority = await makeAuthority({ company: "Acme", domains: DOMAINS, clock });
    const [one, other] = [await issueLeaf({ authority, domain: "erp.acme.example", clock }), await issueLeaf({ authority, domain: "erp.acme.example", clock })];
    expect(() => checkCertificate(one.chain, one.key, "erp.acme.example", clock)).not.toThrow();
    expect(() => checkCertificate(one.chain, one.key, "x.acme.example", clock)).toThrow(/it is not for x.acme.example/);
    expect(() => checkCertificate(one.chain, other.key, "erp.acme.example", clock)).toThrow(/the key is not the certificate's/);
    expect(() => checkCertificate(one.chain, one.key, "erp.acme.example", clockAt("2029-01-01T00:00:00Z"))).toThrow(/it ends on/);
    expect(() => checkCertificate("not PEM", one.key, "erp.acme.example", clock)).toThrow(/not PEM/);
  });
});

describe("an environment with the site's own authority", () => {
  async function aSite() {
    const folder = await createFixture({ "site.yaml": siteText("", PRODUCTION + STAGING) });
    await mkdir(join(folder.path, "secrets"), { recursive: true });
    const identity = await ensureIdentity(join(folder.path, "identity"));
    const site = await loadSite(folder.path);
    const ensure = (name: string, clock: Clock) =>
      ensureSiteSecrets({ site, environment: environmentOf(site, name), names: ["db_odoo"], identity, operator: "ann", clock });
    return { folder, identity, ensure, [Symbol.asyncDispose]: () => folder.rm() };
  }
  const clock = clockAt("2026-11-24T02:00:00Z");

  it("gets secrets and certificate in one call, and the second call does nothing", async () => {
    await using site = await aSite();
    expect(await site.ensure("production", clock)).toEqual([
      "made secrets for production: db_odoo",
      expect.stringContaining("made the site's own certificate authority"),
      "issued a certificate for erp.acme.example",
    ]);
    expect(await site.ensure("production", clock)).toEqual([]);
    const chain = await readFile(join(site.folder.path, "certificates/production.pem"), "utf8");
    const vault = await openSiteVault(site.folder.path, "production", site.identity.identity);
    expect(Object.keys(vault).sort()).toEqual(["db_odoo", "tls_key"]);
    checkCertificate(chain, vault["tls_key"] ?? expect.fail("no key"), "erp.acme.example", clock);
  });

  it("shares the authority with the others, and keeps its key out of every host's reach", async () => {
    await using site = await aSite();
    await site.ensure("production", clock);
    expect(await site.ensure("staging", clock)).toEqual(["made secrets for staging: db_odoo", "issued a certificate for staging.acme.example"]);
    expect(Object.keys(await openSiteVault(site.folder.path, "staging", site.identity.identity))).not.toContain("ca_key");
  });

  it("is renewed 60 days before its certificate ends", async () => {
    await using site = await aSite();
    await site.ensure("production", clock);
    expect(await site.ensure("production", clockAt("2027-10-20T02:00:00Z"))).toEqual([]);
    expect(await site.ensure("production", clockAt("2027-11-01T02:00:00Z"))).toEqual(["issued a certificate for erp.acme.example"]);
  });

  it("is mended when chain and key were cut apart", async () => {
    await using site = await aSite();
    await site.ensure("production", clock);
    await site.ensure("staging", clock);
    await writeFile(join(site.folder.path, "certificates/production.pem"), await readFile(join(site.folder.path, "certificates/staging.pem")));
    expect(await site.ensure("production", clock)).toEqual(["issued a certificate for erp.acme.example"]);
  });
});
