import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { reportPage } from "../../src/observe/report/report-page.ts";
import { runRecordSchema } from "../../src/observe/run-record.ts";

const FOLDER = "test/golden/report";
const records = (await readdir(FOLDER)).filter((name) => name.endsWith(".json"));

describe("the page of a recorded run", () => {
  it.each(records)("%s is as its golden file", async (name) => {
    const record = runRecordSchema.parse(JSON.parse(await readFile(join(FOLDER, name), "utf8")));
    await expect(reportPage(record)).toMatchFileSnapshot(`report/${name.replace(/\.json$/, ".html")}`);
  });

  it("has a record for every golden file", async () => {
    const pages = (await readdir(FOLDER)).filter((name) => name.endsWith(".html"));
    expect(pages.map((name) => name.replace(/\.html$/, ".json")).sort()).toEqual([...records].sort());
  });
});
