import { describe, expect, it } from "vitest";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { prepareRecovery } from "../../src/recovery/prepare-recovery.ts";
import { FakePlant } from "./fake-plant.ts";

const BROKEN = new MillwrightError("ARCHIVE_BROKEN", "The repository cannot be made ready for the database: it is full");

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
