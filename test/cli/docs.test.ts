import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { answersDocument, errorsDocument, siteDocument } from "../../src/cli/write-docs.ts";

describe("the written docs", () => {
  it("list every error code as the source has it", async () => {
    expect(await readFile("docs/errors.md", "utf8")).toBe(errorsDocument());
  });

  it("list every question of the wizard", async () => {
    expect(await readFile("docs/answers.md", "utf8")).toBe(answersDocument());
  });

  it("list every key of site.yaml as the schema has it", async () => {
    expect(await readFile("docs/site.md", "utf8")).toBe(siteDocument());
  });
});
