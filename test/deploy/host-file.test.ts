import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readHostFile } from "../../src/deploy/host-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millwright-host-file-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("what bootstrap wrote down about the host", () => {
  it("is nothing before bootstrap", async () => {
    expect(await readHostFile(join(folder, "host.yaml"))).toBeUndefined();
  });

  it("names the stack and what its policy sets aside", async () => {
    const path = join(folder, "host.yaml");
    await writeFile(path, "version: 1\nstack: acme-production\nagent: 0.1.0\n");
    expect(await readHostFile(path)).toEqual({ stack: "acme-production", waivers: [] });
  });

  it.each(["stack: [", "stack: 1\n", "", "*nothing", "a: &a [*a]\n"])("is damaged, and no fault of the tool, when it reads %j", async (text) => {
    const path = join(folder, "host.yaml");
    await writeFile(path, text);
    await expect(readHostFile(path)).rejects.toMatchObject({ code: "STATE_DAMAGED", subject: path, hint: expect.stringContaining("bootstrap") });
  });
});
