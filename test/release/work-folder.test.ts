import { mkdir, mkdtemp, readdir, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { workFolder } from "../../src/release/work-folder.ts";

const NOW = Date.parse("2026-11-24T12:00:00Z");
const HOUR = 3_600_000;

describe("a build's work folder", () => {
  it("is gone with all that is in it when the build is over", async () => {
    const directory = await mkdtemp(join(tmpdir(), "millwright-"));
    {
      await using folder = await workFolder(directory, NOW);
      await writeFile(join(folder.path, "file"), "");
      expect(await readdir(directory)).toHaveLength(1);
    }
    expect(await readdir(directory)).toEqual([]);
  });

  it("takes those of killed builds away, and neither one that is in use nor anything else", async () => {
    const directory = await mkdtemp(join(tmpdir(), "millwright-"));
    const ages = { "millwright-build-killed": 5, "millwright-build-in-use": 1, "somebody-elses": 100 };
    for (const [name, hours] of Object.entries(ages)) {
      await mkdir(join(directory, name));
      await utimes(join(directory, name), (NOW - hours * HOUR) / 1000, (NOW - hours * HOUR) / 1000);
    }
    await using _ = await workFolder(directory, NOW);
    const left = await readdir(directory);
    expect(left.filter((name) => name in ages).sort()).toEqual(["millwright-build-in-use", "somebody-elses"]);
  });

  it("does not stumble over those that other builds take away meanwhile", async () => {
    const directory = await mkdtemp(join(tmpdir(), "millwright-"));
    const build = async (): Promise<void> => {
      for (let round = 0; round < 20; round += 1) await (await workFolder(directory, NOW))[Symbol.asyncDispose]();
    };
    await Promise.all(Array.from({ length: 8 }, build));
    expect(await readdir(directory)).toEqual([]);
  });
});
