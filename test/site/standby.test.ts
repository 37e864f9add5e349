import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { exchangeHosts } from "../../src/site/exchange-hosts.ts";
import { environmentOf } from "../../src/site/site.ts";
import { hostName, standbyOf } from "../../src/site/standby.ts";
import { goodSite, problemsOf, PRODUCTION, siteText, STAGING } from "./site-text.ts";

const OFFSITE = "backup: { offsite: { kind: s3, endpoint: nas.plant.lan, bucket: acme-backups, ca: certificates/nas.pem } }";

function pair(standby: string, host = "address: 192.0.2.1, admin: admin, memory: 4GiB, cpus: 2"): string {
  return `  production:\n    host: { ${host} }\n    standby: { ${standby} }\n`;
}

describe("a standby", () => {
  it("is nothing that a site has by itself, and nobody can ask for one that is not stated", () => {
    const plain = environmentOf(goodSite(siteText()), undefined);
    expect(plain).not.toHaveProperty("standby");
    expect(() => standbyOf(plain)).toThrow(expect.objectContaining({ code: "STANDBY_UNKNOWN" }));
  });

  it("is logged in to as the host is, but for what it says itself, and has the host's size", () => {
    const host = "address: 192.0.2.1, port: 2200, admin: root2, deploy: ship, listen: 192.0.2.1, memory: 4GiB, cpus: 2";
    const site = goodSite(siteText(OFFSITE, pair("address: 192.0.2.9, admin: maria, dataDisk: /dev/sdb", host)));
    const standby = standbyOf(environmentOf(site, undefined));
    expect(standby.host).toEqual({
      address: "192.0.2.9",
      port: 2200,
      admin: "maria",
      deploy: "ship",
      listen: "0.0.0.0",
      memoryBytes: 4 * 1024 ** 3,
      cpus: 2,
    });
    expect(standby).toMatchObject({ stack: "acme-production", dataDisk: "/dev/sdb", follows: "192.0.2.1" });
    expect(standby).not.toHaveProperty("standby");
    expect(hostName(standby)).toBe("production-standby");
  });

  it("needs an offsite repository, and two hosts that know each other by addresses that nothing else has", () => {
    expect(problemsOf(siteText("", pair("address: 192.0.2.9")))).toEqual([expect.stringContaining("standby: needs backup.offsite")]);
    expect(problemsOf(siteText(OFFSITE, pair("address: 192.0.2.1")))).toEqual([expect.stringContaining("192.0.2.1 is the host itself")]);
    expect(problemsOf(siteText(OFFSITE, pair("address: erp2.plant.lan")))).toEqual([expect.stringContaining("standby.address")]);
    expect(problemsOf(siteText(OFFSITE, pair("address: 192.0.2.9", "address: erp.lan, admin: admin, memory: 4GiB, cpus: 2")))).toEqual([
      expect.stringContaining("host.address: must be an IPv4 address where there is a standby"),
    ]);
    expect(problemsOf(siteText(OFFSITE, pair("address: 10.201.3.4")))).toEqual([expect.stringContaining("holds standby.address 10.201.3.4")]);
    const other = STAGING.replace("staging.acme.example", "staging.acme.example\n    backup: { offsite: { kind: none } }");
    expect(problemsOf(siteText(OFFSITE, pair("address: 192.0.2.2") + other))).toEqual([
      expect.stringContaining("host.address: 192.0.2.2 is a host of production already"),
    ]);
  });
});

describe("exchanging the hosts of an environment", () => {
  const resolved = (text: string) => environmentOf(goodSite(text), undefined);

  it("makes each what the other was, whatever either says itself or has of the other", () => {
    const host = "address: 192.0.2.1, admin: admin, listen: 192.0.2.1, memory: 4GiB, cpus: 2";
    for (const says of ["address: 192.0.2.9", "address: 192.0.2.9, port: 2222, admin: maria, deploy: ship, dataDisk: /dev/sdb"]) {
      const before = resolved(siteText(OFFSITE, pair(says, host)));
      const after = resolved(exchangeHosts(siteText(OFFSITE, pair(says, host)), "production"));
      expect(after.host).toEqual(standbyOf(before).host);
      expect(after.dataDisk).toEqual(standbyOf(before).dataDisk);
      expect(standbyOf(after).host).toEqual(before.host);
      expect(standbyOf(after).dataDisk).toEqual(before.dataDisk);
    }
  });

  it("gives the same site when it is done twice, and leaves comments and the rest of the file alone", () => {
    const text = `# Ours.\n${siteText(OFFSITE, `${pair("address: 192.0.2.9 # in the other hall\n    ")}${STAGING}`)}`;
    const once = exchangeHosts(text, "production");
    expect(once).toContain("# Ours.");
    expect(once).toContain("# in the other hall");
    expect(parse(once).environments.staging).toEqual(parse(text).environments.staging);
    expect(resolved(exchangeHosts(once, "production").replace(STAGING, "")).host).toEqual(resolved(siteText(OFFSITE, PRODUCTION)).host);
  });
});
