import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { readShort } from "../../src/kernel/durable-file.ts";

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
