import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { errorsDocument } from "../../src/cli/write-errors-doc.ts";

describe("docs/errors.md", () => {
  it("lists every code as the source has it", async () => {
    expect(await readFile("docs/errors.md", "utf8")).toBe(errorsDocument());
  });
});
