import { describe, expect, it } from "vitest";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { planBackup, planRestore } from "../../src/recovery/plan-recovery.ts";
import { prepareRecovery } from "../../src/recovery/prepare-recovery.ts";
import { FakePlant, RECORD, STACK } from "./fake-plant.ts";

const HEAD = { id: "plan", stack: STACK, basis: "basis" };
const BACKUP = planBackup(HEAD, { type: "full", release: RECORD.release, cause: "asked for", hasOffsite: false });
const FOREIGN = new MillwrightError("ARCHIVE_FOREIGN", "The repository holds the backups of another database.");

/** A plant whose restore could not let the database archive again. */
async function heldPlant(): Promise<FakePlant> {
  const plant = await FakePlant.make();
  await plant.deps.psql.query("postgres", "ALTER SYSTEM SET archive_command = '/bin/false';");
  plant.asked.length = 0;
  return plant;
}

describe("a database that a restore has left with its archiving held back", () => {
  it("archives again with the next backup", async () => {
    using plant = await heldPlant();
    expect((await plant.run(BACKUP)).outcome).toBe("done");
    expect(plant.rows("postgres")?.isArchiving).toBe(true);
    const [mended, seen] = [plant.asked.findIndex((asked) => asked.includes("RESET archive_command")), plant.asked.indexOf("check")];
    expect(mended).toBeGreaterThan(-1);
    expect(mended).toBeLessThan(seen);
  });

  it("gets the repository of a new host first, which is that of an empty database still", async () => {
    using plant = await heldPlant();
    plant.fail("prepare", FOREIGN);
    expect((await prepareRecovery(plant.deps, { kind: "backup", full: false, bySchedule: false })).plan.context).toMatchObject({ type: "full" });
    expect(plant.rows("postgres")?.isArchiving).toBe(false);
    expect((await plant.run(BACKUP)).outcome).toBe("done");
    expect(plant.rows("postgres")?.isArchiving).toBe(true);
    expect(plant.asked).toContain("adopt");
  });

  it("stays held while that cannot be done: it is what tells the next command that it must be", async () => {
    using plant = await heldPlant();
    plant.fail("prepare", FOREIGN);
    plant.fail("adopt", new MillwrightError("ARCHIVE_BROKEN", "The repository cannot be made ready."));
    expect(await plant.run(BACKUP)).toMatchObject({ outcome: "undone", error: { code: "ARCHIVE_BROKEN" } });
    expect(plant.rows("postgres")?.isArchiving).toBe(false);
  });

  it("archives again with the full backup of the restore itself, when only the step before it had failed", async () => {
    using plant = await FakePlant.makeNew();
    plant.fail("adopt", new MillwrightError("ARCHIVE_BROKEN", "The repository cannot be made ready."));
    plant.atPoint = (what) => {
      if (what === "before begun full") plant.failing.delete("adopt");
    };
    const plan = planRestore(HEAD, {
      from: "offsite",
      release: RECORD.release,
      colour: undefined,
      backup: RECORD,
      target: { kind: "latest" },
      isBeside: false,
    });
    expect((await plant.run(plan, {}, { offsite: { archive: plant.deps.archive, files: plant.deps.files } })).outcome).toBe("done");
    expect(plant.rows("postgres")?.isArchiving).toBe(true);
  });
});

describe("another database beside somebody's backups", () => {
  it("never takes them over", async () => {
    using plant = await FakePlant.make();
    plant.fail("prepare", FOREIGN);
    expect(await plant.run(BACKUP)).toMatchObject({ outcome: "undone", error: { code: "ARCHIVE_FOREIGN" } });
    await expect(prepareRecovery(plant.deps, { kind: "backup", full: false, bySchedule: false })).rejects.toMatchObject({ code: "ARCHIVE_FOREIGN" });
    expect(plant.asked).not.toContain("adopt");
  });
});
