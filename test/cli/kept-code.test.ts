import { execFile } from "node:child_process";
import { readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { createFixture, type FsFixture } from "fs-fixture";
import { describe, expect, it } from "vitest";

const KEPT_CODE = resolve("bin/kept-code.cjs");
const LONG_AGO = new Date("2020-01-01T00:00:00Z");

/** Two files; the function that says the word is compiled when it is called. */
function bundleOf(word: string): Record<string, string> {
  return {
    "bundle/main.cjs": 'const { say } = require("./word.cjs");\nconsole.log(say(), say === require("./word.cjs").say, __filename);\n// build 1\n',
    "bundle/word.cjs": `exports.say = function () { return "${word}"; };\n`,
  };
}

async function run({ path }: FsFixture): Promise<string> {
  const script = `require(${JSON.stringify(KEPT_CODE)}).runKept(...process.argv.slice(1))`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", script, join(path, "bundle/main.cjs"), join(path, "kept/word")]);
  return stdout.trim();
}

const says = ({ path }: FsFixture, word: string): string => `${word} true ${join(path, "bundle/main.cjs")}`;

describe("runKept", () => {
  it("runs the code that an earlier run has compiled", async () => {
    await using folder = await createFixture(bundleOf("one"));
    expect(await run(folder)).toBe(says(folder, "one"));
    // As no build does it: V8 compares lengths, so what was kept shows.
    await writeFile(join(folder.path, "bundle/word.cjs"), bundleOf("two")["bundle/word.cjs"] ?? "");
    expect(await run(folder)).toBe(says(folder, "one"));
  });

  it("runs no code of another build", async () => {
    await using folder = await createFixture(bundleOf("one"));
    await run(folder);
    await writeFile(join(folder.path, "bundle/word.cjs"), bundleOf("two")["bundle/word.cjs"] ?? "");
    await writeFile(join(folder.path, "bundle/main.cjs"), (bundleOf("two")["bundle/main.cjs"] ?? "").replace("build 1", "build 2"));
    expect(await run(folder)).toBe(says(folder, "two"));
  });

  it("runs nothing that is damaged, and makes it anew", async () => {
    await using folder = await createFixture(bundleOf("one"));
    await run(folder);
    const file = join(folder.path, "kept/word");
    const whole = await readFile(file);
    for (const at of [0, 8, 20, whole.length - 200]) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 0x55, at);
      for (const content of [damaged, whole.subarray(0, at)]) {
        await writeFile(file, content);
        expect(await run(folder)).toBe(says(folder, "one"));
        expect((await readFile(file)).length).toBe(whole.length);
      }
    }
  });

  it("writes only when there is something new", async () => {
    await using folder = await createFixture(bundleOf("one"));
    await run(folder);
    const file = join(folder.path, "kept/word");
    await utimes(file, LONG_AGO, LONG_AGO);
    await run(folder);
    expect((await stat(file)).mtime).toEqual(LONG_AGO);
  });

  it("keeps for the owner alone, and leaves no draft", async () => {
    await using folder = await createFixture(bundleOf("one"));
    await run(folder);
    expect(await readdir(join(folder.path, "kept"))).toEqual(["word"]);
    expect((await stat(join(folder.path, "kept"))).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder.path, "kept/word"))).mode & 0o777).toBe(0o600);
  });

  it("keeps nothing of a run that fails", async () => {
    await using folder = await createFixture({ ...bundleOf("one"), "bundle/word.cjs": "process.exitCode = 2;\n" });
    await expect(run(folder)).rejects.toThrow("say is not a function");
    expect(await readdir(folder.path)).toEqual(["bundle"]);
  });

  it("runs as well where nothing can be kept", async () => {
    await using folder = await createFixture({ ...bundleOf("one"), kept: "a file" });
    expect(await run(folder)).toBe(says(folder, "one"));
  });
});
