import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LineFile } from "../../src/kernel/line-file.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lines-"));
  path = join(folder, "lines.jsonl");
});
afterEach(async () => await rm(folder, { recursive: true }));

describe("a file of lines", () => {
  it("holds a line as soon as it is appended", async () => {
    using file = new LineFile(path, 0o600);
    file.append("one");
    expect(await readFile(path, "utf8")).toBe("one\n");
  });

  it("goes on after the last line, and ends one that a killed process has torn", async () => {
    await writeFile(path, 'one\n{"tor');
    using file = new LineFile(path, 0o600);
    file.append("two");
    expect(await readFile(path, "utf8")).toBe('one\n{"tor\ntwo\n');
  });

  it("takes nothing more once it is closed", async () => {
    const file = new LineFile(path, 0o600);
    file[Symbol.dispose]();
    file.append("late");
    file[Symbol.dispose]();
    expect(await readFile(path, "utf8")).toBe("");
  });
});
