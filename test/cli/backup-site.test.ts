import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { backupRestoreCommand } from "../../src/cli/commands/backup.ts";
import { backupSiteCommand } from "../../src/cli/commands/backup-site.ts";
import { recoveryKeyCommand } from "../../src/cli/commands/recovery-key.ts";
import { parseHost } from "../../src/cli/fetch-site-archive.ts";
import { loadTarget } from "../../src/cli/target.ts";
import { sealSiteFolder } from "../../src/recovery/site-archive.ts";
import { readSiteFolder } from "../../src/recovery/site-folder.ts";
import { makeIdentity, readIdentity } from "../../src/secrets/identity.ts";
import { peopleOf, readRecipients } from "../../src/secrets/recipients.ts";
import { openSiteVault } from "../../src/secrets/site-secrets.ts";
import { loadSite } from "../../src/site/load-site.ts";
import { fingerprint } from "../../src/site/host-key.ts";
import { lacksSshd, startSshd } from "../remote/sshd.ts";
import { SiteFixture } from "./site-fixture.ts";

/** All laptops are lost: there is a folder with backups, and a key in a file. */
async function worstDay(fixture: SiteFixture): Promise<{ readonly recoveryKey: string; readonly repository: string }> {
  const context = fixture.context();
  const recoveryKey = join(fixture.folder, "safe.txt");
  const { reveal } = await recoveryKeyCommand({}, context);
  await writeFile(recoveryKey, reveal?.reveal() ?? "", { mode: 0o600 });
  const { site } = await loadTarget({}, context);
  const repository = join(fixture.folder, "backup");
  await mkdir(repository);
  await writeFile(join(repository, "site.tar.gz.age"), await sealSiteFolder(await readSiteFolder(site), peopleOf(await readRecipients(site.directory))));
  return { recoveryKey, repository };
}

describe("backup site", () => {
  it("gives the site folder back from the backups' folder and the recovery key alone, to somebody who is its operator from then on", async () => {
    await using fixture = await SiteFixture.make();
    const { recoveryKey, repository } = await worstDay(fixture);
    const { text } = await backupSiteCommand({ recoveryKey, repository }, fixture.elsewhere());
    expect(text).toContain("the recovery key can go back into the safe");

    const [before, after] = [await readSiteFolder(await loadSite(fixture.site)), await readSiteFolder(await loadSite(join(fixture.folder, "elsewhere")))];
    expect([...after.keys()]).toEqual([...before.keys()]);
    for (const [path, content] of before) if (!path.startsWith("secrets/")) expect(after.get(path)).toBe(content);
    const { identity } = await readIdentity(join(fixture.folder, "new-laptop/identity"));
    const opened = await openSiteVault(join(fixture.folder, "elsewhere"), "production", identity);
    const own = await readIdentity(join(fixture.folder, "config/identity"));
    const known = await openSiteVault(fixture.site, "production", own.identity);
    expect(opened["backup_database_key"]?.reveal()).toBe(known["backup_database_key"]?.reveal());
    // The operator of before, who may have lost a laptop only, is still one; and so is the key.
    expect((await readRecipients(join(fixture.folder, "elsewhere"))).operators.map(({ name }) => name)).toEqual(["ann", "bob"]);
    expect((await readRecipients(join(fixture.folder, "elsewhere"))).recovery).toBe((await readIdentity(recoveryKey)).recipient);
  });

  it("takes the file alone as well, such as one fetched from a bucket, and an operator's own identity", async () => {
    await using fixture = await SiteFixture.make();
    const { repository } = await worstDay(fixture);
    const context = fixture.context({ directory: join(fixture.folder, "elsewhere") });
    const { data } = await backupSiteCommand({ repository: join(repository, "site.tar.gz.age") }, context);
    expect(data).toMatchObject({ site: "minimal", joined: false });
  });

  it("writes nothing when the key is another site's, the backups are not there, or nobody says where they are", async () => {
    await using fixture = await SiteFixture.make();
    const { recoveryKey, repository } = await worstDay(fixture);
    const stranger = join(fixture.folder, "stranger.txt");
    await writeFile(stranger, (await makeIdentity("another")).text.reveal(), { mode: 0o600 });
    const elsewhere = fixture.elsewhere();
    await expect(backupSiteCommand({ recoveryKey: stranger, repository }, elsewhere)).rejects.toMatchObject({ code: "VAULT_LOCKED" });
    await expect(backupSiteCommand({ recoveryKey, repository: fixture.site }, elsewhere)).rejects.toMatchObject({ code: "BACKUP_NOT_FOUND" });
    await expect(backupSiteCommand({ repository }, elsewhere)).rejects.toMatchObject({
      code: "IDENTITY_MISSING",
      hint: expect.stringContaining("--recovery-key"),
    });
    await expect(backupSiteCommand({ recoveryKey }, elsewhere)).rejects.toMatchObject({ code: "USAGE", hint: expect.stringContaining("--host") });
    await expect(loadSite(elsewhere.directory)).rejects.toMatchObject({ code: "SITE_NOT_FOUND" });
  });

  it("leaves a folder that holds a site alone", async () => {
    await using fixture = await SiteFixture.make();
    await expect(backupSiteCommand(await worstDay(fixture), fixture.context())).rejects.toMatchObject({ code: "SITE_EXISTS" });
  });

  it.skipIf(lacksSshd)("makes the new machine the site's host, with the key that it shows pinned in the place of the old one's", async () => {
    await using fixture = await SiteFixture.make();
    await using sshd = await startSshd();
    await writeFile(join(fixture.site, "known_hosts"), `[127.0.0.1]:${sshd.port} ${sshd.key.publicLine}\nother ${sshd.key.publicLine}\n`);
    const asked = { ...(await worstDay(fixture)), identity: [sshd.key.file], host: `${sshd.user}@127.0.0.1:${sshd.port}` };
    const shown = Buffer.from(sshd.hostKeys[0]?.publicLine.split(" ")[1] ?? "", "base64");
    const elsewhere = fixture.elsewhere();
    await expect(backupSiteCommand(asked, elsewhere)).rejects.toMatchObject({ code: "ANSWER_MISSING", hint: expect.stringContaining(fingerprint(shown)) });
    const wrong = `SHA256:${"A".repeat(43)}`;
    await expect(backupSiteCommand({ ...asked, fingerprint: wrong }, elsewhere)).rejects.toMatchObject({ code: "HOST_KEY_CHANGED" });

    await backupSiteCommand({ ...asked, fingerprint: fingerprint(shown) }, elsewhere);
    const { environment } = await loadTarget({}, elsewhere);
    expect(environment.host).toMatchObject({ address: "127.0.0.1", port: sshd.port, admin: sshd.user });
    const pinned = (await readFile(join(elsewhere.directory, "known_hosts"), "utf8")).trim().split("\n");
    expect(pinned).toEqual([`other ${sshd.key.publicLine}`, `[127.0.0.1]:${sshd.port} ssh-ed25519 ${shown.toString("base64")}`]);
  });
});

describe("backup restore --to-new-host", () => {
  it("says what it needs in a folder without a site", async () => {
    await using fixture = await SiteFixture.make();
    const asked = { toNewHost: true, recoveryKey: "key.txt" };
    await expect(backupRestoreCommand(asked, fixture.elsewhere())).rejects.toMatchObject({ code: "SITE_NOT_FOUND", hint: expect.stringContaining("--host") });
  });

  it("refuses an address that is not the one in site.yaml", async () => {
    await using fixture = await SiteFixture.make();
    await expect(backupRestoreCommand({ toNewHost: true, host: "192.0.2.77" }, fixture.context())).rejects.toMatchObject({ code: "USAGE" });
  });

  it("is the only restore that takes what a new host is made from", async () => {
    await using fixture = await SiteFixture.make();
    await expect(backupRestoreCommand({ to: "now", recoveryKey: "key.txt" }, fixture.context())).rejects.toMatchObject({ code: "USAGE" });
  });
});

describe("the address of a new host", () => {
  it.each([
    ["10.20.0.5", { user: "admin", address: "10.20.0.5", port: 22 }],
    ["erp1.plant.lan:2222", { user: "admin", address: "erp1.plant.lan", port: 2222 }],
    ["root@[fd00::5]:22", { user: "root", address: "fd00::5", port: 22 }],
  ])("may be %s", (text, parsed) => {
    expect(parseHost(text)).toMatchObject(parsed);
  });

  it.each(["", "a b", "-oProxyCommand=x", "x@", "10.0.0.1:0", "$(id)"])("is not %s", (text) => {
    expect(() => parseHost(text)).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});
