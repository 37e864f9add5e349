import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ensureFolder, readShort, writeDurable } from "../../src/kernel/durable-file.ts";

describe("a file in a folder that a container writes to", () => {
  it("is read when it is a plain file, and never followed, waited for or read without end", async () => {
    const folder = await mkdtemp(join(tmpdir(), "short-"));
    const file = join(folder, "acme.json");
    await writeFile(file, "{}");
    expect(await readShort(file, 32)).toBe("{}");
    await writeFile(join(folder, "elsewhere"), "a secret");
    const others: readonly (() => Promise<unknown>)[] = [
      () => symlink(join(folder, "elsewhere"), file),
      () => symlink("/dev/zero", file),
      () => promisify(execFile)("mkfifo", [file]),
      () => mkdir(file),
      () => writeFile(file, "1".repeat(1000)),
    ];
    for (const make of others) {
      await rm(file, { recursive: true });
      await make();
      expect(await readShort(file, 32)).toBeUndefined();
    }
  });
});

describe("a folder that is to be written in", () => {
  it("is made with those above it, also by several at once", async () => {
    const folder = await mkdtemp(join(tmpdir(), "folders-"));
    const deep = join(folder, "a/b/c");
    await Promise.all([ensureFolder(deep), ensureFolder(deep), writeDurable(join(deep, "x"), "x")]);
    expect(await readdir(deep)).toEqual(["x"]);
  });

  it("is refused with its path and the reason where there can be none", async () => {
    const file = join(await mkdtemp(join(tmpdir(), "folders-")), "site.yaml");
    await writeFile(file, "version: 1");
    for (const path of [file, join(file, "x"), "/dev/null/x", "/proc/foo", "/proc/foo/bar"]) {
      await expect(ensureFolder(path)).rejects.toMatchObject({ code: "FILE_REFUSED", subject: path });
    }
    expect(await readFile(file, "utf8")).toBe("version: 1");
  });
});
