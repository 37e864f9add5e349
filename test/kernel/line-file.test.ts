import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
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

  it("says when only a part of a line got into it, and begins the next on a line of its own", async () => {
    await writeFile(path, `${"x".repeat(505)}\n`);
    const script = `
      import { LineFile } from "${resolve("src/kernel/line-file.ts")}";
      try { new LineFile("${path}", 0o600).append("longer than the room there is"); } catch (error) { console.log(error.code); }
    `;
    // A file may grow to one block of 512 bytes: what a full disk does, for this one process.
    const limited = ["-c", 'ulimit -f 1; exec "$@"', "sh", process.execPath, "--import", "tsx", "--input-type=module", "-e", script];
    expect((await promisify(execFile)("sh", limited)).stdout.trim()).toBe("EFBIG");
    using file = new LineFile(path, 0o600);
    file.append("two");
    expect((await readFile(path, "utf8")).split("\n").slice(1)).toEqual(["longer", "two", ""]);
  });

  it("takes nothing more once it is closed", async () => {
    const file = new LineFile(path, 0o600);
    file[Symbol.dispose]();
    file.append("late");
    file[Symbol.dispose]();
    expect(await readFile(path, "utf8")).toBe("");
  });
});
