import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sentSiteSchema } from "../../src/recovery/kept-site.ts";
import { openSiteFolder, sealSiteFolder } from "../../src/recovery/site-archive.ts";
import { readSiteFolder, type SiteFolder, siteFolderHash } from "../../src/recovery/site-folder.ts";
import { seal } from "../../src/secrets/age.ts";
import { makeIdentity } from "../../src/secrets/identity.ts";
import { loadSite } from "../../src/site/load-site.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millwright-site-"));
  await cp("examples/minimal", folder, { recursive: true });
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function lay(path: string, content: string): Promise<void> {
  await mkdir(join(folder, path, ".."), { recursive: true });
  await writeFile(join(folder, path), content);
}

const read = async (): Promise<SiteFolder> => await readSiteFolder(await loadSite(folder));

/** Any tar, as somebody who can write to the repository could make it. */
async function forged(...words: readonly string[]): Promise<Buffer> {
  const { stdout } = await promisify(execFile)("tar", ["-C", folder, "-c", ...words], { encoding: "buffer" });
  return gzipSync(stdout);
}

describe("what of a site folder goes into a backup", () => {
  it("is what a new host is built from", async () => {
    for (const path of ["secrets/production.age", "secrets/ca-key.age", "secrets/recipients.yaml", "releases/2026-11-24-1.yaml"]) await lay(path, path);
    for (const path of ["overrides/more.yaml", "certificates/ca.pem", "certificates/production.pem", "known_hosts", ".gitignore"]) await lay(path, path);
    expect([...(await read()).keys()].filter((path) => path !== "README.md")).toEqual([
      ".gitignore",
      "certificates/ca.pem",
      "certificates/production.pem",
      "images.lock.yaml",
      "known_hosts",
      "overrides/more.yaml",
      "releases/2026-11-24-1.yaml",
      "secrets/ca-key.age",
      "secrets/production.age",
      "secrets/recipients.yaml",
      "site.yaml",
    ]);
  });

  it("is nothing that can be fetched again, and no plain key that was left in the folder", async () => {
    const before = await read();
    for (const path of ["addons/plant/__manifest__.py", ".git/config", "node_modules/x.js", "certificates/production.key", "secrets/notes.txt"])
      await lay(path, "x");
    for (const path of ["site.yaml~", "dump.sql", "identity", "releases/README.md", ".millwright/journal-heads.json"]) await lay(path, "x");
    expect(await read()).toEqual(before);
  });

  it("has the same hash as long as it is the same, whatever was encrypted in between", async () => {
    const { recipient } = await makeIdentity("test");
    const [one, other] = [await sealSiteFolder(await read(), [recipient]), await sealSiteFolder(await read(), [recipient])];
    expect(one).not.toBe(other);
    for (const archive of [one, other]) expect(sentSiteSchema.shape.archive.safeParse(archive).success).toBe(true);
    expect(siteFolderHash(await read())).toBe(siteFolderHash(await read()));
    const before = siteFolderHash(await read());
    await lay("known_hosts", "another\n");
    expect(siteFolderHash(await read())).not.toBe(before);
  });
});

describe("a site folder in a backup", () => {
  it("is opened by each of those whom it was encrypted to, and by nobody else", async () => {
    const [operator, recovery, stranger] = [await makeIdentity("a"), await makeIdentity("b"), await makeIdentity("c")];
    const site = await read();
    const sealed = await sealSiteFolder(site, [operator.recipient, recovery.recipient]);
    for (const { identity } of [operator, recovery]) expect(await openSiteFolder(sealed, identity)).toEqual(site);
    await expect(openSiteFolder(sealed, stranger.identity)).rejects.toMatchObject({ code: "VAULT_LOCKED", message: expect.stringContaining("site folder") });
    expect(sealed).not.toContain("minimal");
  });

  it("is refused when it was changed, cut off or never was one", async () => {
    const { identity, recipient } = await makeIdentity("a");
    const sealed = await sealSiteFolder(await read(), [recipient]);
    const cut = sealed.split("\n").slice(0, -4).join("\n");
    const odd = [
      await seal("no gzip", [recipient]),
      await seal(gzipSync("no tar"), [recipient]),
      await seal(await forged("site.yaml").then((tar) => tar.subarray(0, 40)), [recipient]),
    ];
    for (const text of [cut, "hello", ...odd]) await expect(openSiteFolder(text, identity)).rejects.toMatchObject({ code: "VAULT_INVALID" });
  });

  it.each([
    ["a path out of the folder", ["--transform", "s,^site.yaml$,../site.yaml,", "-P", "site.yaml"]],
    ["a hook of git's", ["--transform", "s,^site.yaml$,.git/hooks/post-checkout,", "site.yaml"]],
    ["a link in the place of a file", ["known_hosts"]],
    ["no site.yaml", ["images.lock.yaml"]],
  ])("is refused with %s: whoever can write to the repository may have put it there", async (_what, words) => {
    const { identity, recipient } = await makeIdentity("a");
    await promisify(execFile)("ln", ["-sf", "/etc/passwd", join(folder, "known_hosts")]);
    const error: unknown = await openSiteFolder(await seal(await forged(...words), [recipient]), identity).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "VAULT_INVALID", message: expect.stringMatching(/no site folder brings|no site\.yaml/) });
  });
});
