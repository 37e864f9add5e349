import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type DrillRecord, readDrillRecord, writeDrillRecord } from "../../src/recovery/drill-record.ts";

const DRILL: DrillRecord = {
  version: 1,
  run: "20261124-020000-abcd",
  at: "2026-11-24T02:36:00.000Z",
  backup: "20261123-023000-aaaa",
  rpoSeconds: 41,
  rtoSeconds: 62,
  attachments: 1,
  attachmentBytes: 10,
  tooYoung: 0,
  databaseBytes: 1000,
};

describe("the record of a drill", () => {
  let paths: { readonly backups: string };
  beforeEach(async () => {
    paths = { backups: join(await mkdtemp(join(tmpdir(), "drill-")), "backups") };
    await mkdir(paths.backups);
  });

  it("is one for each place: the backups offsite prove nothing of those on the host, whose drill stays due", async () => {
    await writeDrillRecord(paths, { ...DRILL, from: "offsite" });
    expect(await readDrillRecord(paths, "local")).toBeUndefined();
    await writeDrillRecord(paths, { ...DRILL, rpoSeconds: 7 });
    expect((await readDrillRecord(paths, "local"))?.rpoSeconds).toBe(7);
    expect((await readDrillRecord(paths, "offsite"))?.rpoSeconds).toBe(41);
  });

  it("that an agent before this one has left is of the place that it names", async () => {
    const leave = async (record: DrillRecord): Promise<void> => await writeFile(join(paths.backups, "drill.json"), JSON.stringify(record));
    await leave(DRILL);
    expect([await readDrillRecord(paths, "local"), await readDrillRecord(paths, "offsite")]).toEqual([DRILL, undefined]);
    await leave({ ...DRILL, from: "offsite" });
    expect([await readDrillRecord(paths, "local"), await readDrillRecord(paths, "offsite")]).toEqual([undefined, { ...DRILL, from: "offsite" }]);
    await writeDrillRecord(paths, { ...DRILL, from: "offsite", rpoSeconds: 8 });
    expect((await readDrillRecord(paths, "offsite"))?.rpoSeconds).toBe(8);
  });
});
