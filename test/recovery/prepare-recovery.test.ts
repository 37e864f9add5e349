import { describe, expect, it } from "vitest";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { prepareRecovery } from "../../src/recovery/prepare-recovery.ts";
import { writeBackupRecord } from "../../src/recovery/backup-record.ts";
import { FakePlant, RECORD } from "./fake-plant.ts";

const BROKEN = new MillwrightError("ARCHIVE_BROKEN", "The repository cannot be made ready for the database: it is full");

describe("a backup into a repository that somebody has emptied", () => {
  it("begins anew with everything, and says that those before are gone", async () => {
    using plant = await FakePlant.make();
    await writeBackupRecord(plant.paths, RECORD);
    plant.backups = [];
    const { plan } = await prepareRecovery(plant.deps, { kind: "backup", full: false, bySchedule: true });
    expect(plan).toMatchObject({ context: { type: "full" }, purpose: expect.stringContaining("holds none of the 1 backups made before") });
  });
});

describe("a backup whose archive cannot be asked", () => {
  it("is refused at once when a person wants it", async () => {
    using plant = await FakePlant.make();
    plant.fail("prepare", BROKEN);
    await expect(prepareRecovery(plant.deps, { kind: "backup", full: false, bySchedule: false })).rejects.toThrow(BROKEN);
  });

  it("fails as a run when it is due by schedule: history, status and metrics tell of it", async () => {
    using plant = await FakePlant.make();
    plant.fail("prepare", BROKEN);
    const { plan } = await prepareRecovery(plant.deps, { kind: "backup", full: false, bySchedule: true });
    expect(await plant.run(plan)).toMatchObject({ outcome: "undone", error: { code: "ARCHIVE_BROKEN" } });
    expect(plant.journalEntries.some(({ kind, step }) => kind === "failed" && step === "archive")).toBe(true);
  });
});
