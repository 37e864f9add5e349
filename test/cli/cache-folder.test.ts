import { chmod, mkdir, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { createFixture } from "fs-fixture";
import { describe, expect, it } from "vitest";
import { ownCacheFolder } from "../../bin/cache-folder.cjs";

const uid = process.getuid?.();

describe("ownCacheFolder", () => {
  it("makes the folder for the operator alone", async () => {
    await using home = await createFixture({});
    const folder = ownCacheFolder({ HOME: home.path }, uid);
    expect(folder).toBe(join(home.path, ".cache/millwright"));
    expect((await stat(folder ?? "")).mode & 0o777).toBe(0o700);
  });

  it("follows XDG_CACHE_HOME", async () => {
    await using home = await createFixture({});
    expect(ownCacheFolder({ XDG_CACHE_HOME: join(home.path, "elsewhere"), HOME: "/nowhere" }, uid)).toBe(join(home.path, "elsewhere/millwright"));
  });

  it("leaves a folder alone that others can write to", async () => {
    await using home = await createFixture({ ".cache/millwright/x": "" });
    await chmod(join(home.path, ".cache/millwright"), 0o777);
    expect(ownCacheFolder({ HOME: home.path }, uid)).toBeUndefined();
  });

  it("leaves a folder alone that is somebody else's", async () => {
    await using home = await createFixture({ ".cache/millwright/x": "" });
    expect(ownCacheFolder({ HOME: home.path }, (uid ?? 0) + 1)).toBeUndefined();
  });

  it("follows no link that somebody has laid", async () => {
    await using home = await createFixture({});
    await mkdir(join(home.path, "theirs"));
    await mkdir(join(home.path, ".cache"));
    await symlink(join(home.path, "theirs"), join(home.path, ".cache/millwright"));
    expect(ownCacheFolder({ HOME: home.path }, uid)).toBeUndefined();
  });

  it("does without where none can be made", async () => {
    await using home = await createFixture({ ".cache": "a file" });
    expect(ownCacheFolder({ HOME: home.path }, uid)).toBeUndefined();
  });
});
