import { describe, expect, it } from "vitest";
import { environmentOf } from "../../src/site/site.ts";
import { goodSite, problemsOf, PRODUCTION, siteText, STAGING } from "./site-text.ts";

const ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFQzIIBPNDfkLRYS1pZ0zQ8eE3VdHjTCMYp4hTnq1yFi";
const OTHER_HOST = `backup: { offsite: { kind: sftp, server: nas.plant.lan, user: backup, path: /plant, hostKeys: [${ED25519}] } }`;
const BUCKET = "backup: { offsite: { kind: s3, endpoint: nas.plant.lan:9000, bucket: acme-backups, ca: certificates/nas.pem } }";

describe("an offsite repository", () => {
  it("is nothing that a site has by itself", () => {
    expect(environmentOf(goodSite(siteText()), undefined).backup).not.toHaveProperty("offsite");
  });

  it("is a bucket with what most services take, its server split from its port", () => {
    const { backup } = environmentOf(goodSite(siteText(BUCKET)), undefined);
    expect(backup).toMatchObject({ at: "02:30", keepDays: 14 });
    expect(backup.offsite).toEqual({
      kind: "s3",
      host: "nas.plant.lan",
      port: 9000,
      bucket: "acme-backups",
      region: "us-east-1",
      path: "/",
      ca: "certificates/nas.pem",
      keepDays: 35,
    });
    const plain = "backup: { offsite: { kind: s3, endpoint: s3.eu-central-1.amazonaws.com, bucket: abc, path: /plant/a, ca: certificates/a.pem } }";
    expect(environmentOf(goodSite(siteText(plain)), undefined).backup.offsite).toMatchObject({ port: 443, path: "/plant/a" });
  });

  it("is a folder of another host, reached at SSH's port and known by the keys that the site states", () => {
    expect(environmentOf(goodSite(siteText(OTHER_HOST)), undefined).backup.offsite).toEqual({
      kind: "sftp",
      host: "nas.plant.lan",
      port: 22,
      user: "backup",
      path: "/plant",
      hostKeys: [ED25519],
      keepDays: 35,
    });
    const elsewhere = OTHER_HOST.replace("nas.plant.lan", '"nas.plant.lan:2222"');
    expect(environmentOf(goodSite(siteText(elsewhere)), undefined).backup.offsite).toMatchObject({ host: "nas.plant.lan", port: 2222 });
  });

  it.each(["[]", "[SHA256:abc]", "[nas.plant.lan ssh-ed25519 AAAA]", `[${ED25519.replace("ed25519", "rsa")}]`, "[ssh-ed25519 AAAA]"])(
    "trusts no host by the keys %s",
    (keys) => {
      expect(problemsOf(siteText(OTHER_HOST.replace(/\[.*?\]/, keys)))).toEqual([expect.stringContaining("backup.offsite.hostKeys")]);
    },
  );

  it("trusts no host that the site states no key of", () => {
    expect(problemsOf(siteText(OTHER_HOST.replace(/, hostKeys: \[.*?\]/, "")))).toEqual([expect.stringContaining("backup.offsite.hostKeys: is missing")]);
  });

  it("is stated whole by an environment, or not had there", () => {
    const own = `${STAGING}    backup: { offsite: { kind: s3, endpoint: s3.example.com, bucket: other, ca: certificates/a.pem } }\n`;
    expect(environmentOf(goodSite(siteText(BUCKET, PRODUCTION + own)), "staging").backup.offsite).toMatchObject({ host: "s3.example.com", port: 443 });
    const none = `${STAGING}    backup: { offsite: { kind: none } }\n`;
    expect(environmentOf(goodSite(siteText(BUCKET, PRODUCTION + none)), "staging").backup).not.toHaveProperty("offsite");
    const half = `${STAGING}    backup: { offsite: { kind: s3, bucket: other, ca: certificates/a.pem } }\n`;
    expect(problemsOf(siteText(BUCKET, PRODUCTION + half))).toEqual([expect.stringContaining("endpoint")]);
  });

  it.each([BUCKET, OTHER_HOST])("is never the same for two environments, for they would be one database's backups: %s", (offsite) => {
    expect(problemsOf(siteText(offsite, PRODUCTION + STAGING))).toEqual([expect.stringContaining("is where production keeps its backups already")]);
  });

  it("is the same also where one of two environments writes out the port", () => {
    const own = `${STAGING}    ${BUCKET.replace(":9000", "")}\n`;
    expect(problemsOf(siteText(BUCKET.replace(":9000", ":443"), PRODUCTION + own))).toEqual([expect.stringContaining("already")]);
  });

  it.each(["https://s3.example.com", "s3.example.com/x", "s3.example.com:99999", "-x", "a b"])("is not reached at %s", (endpoint) => {
    expect(problemsOf(siteText(`backup: { offsite: { kind: s3, endpoint: ${JSON.stringify(endpoint)}, bucket: abc, ca: certificates/a.pem } }`))).toHaveLength(
      1,
    );
  });
});
