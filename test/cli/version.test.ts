import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { VERSION } from "../../src/kernel/version.ts";

describe("the version compiled into the agent", () => {
  it("is that of package.json", async () => {
    expect(JSON.parse(await readFile("package.json", "utf8"))).toMatchObject({ version: VERSION });
  });
});
