import { describe, expect, it } from "vitest";
import { MillwrightError } from "../../src/kernel/errors.ts";
import type { Beginning } from "../../src/recovery/beginning.ts";
import { writeBackupRecord } from "../../src/recovery/backup-record.ts";
import { readPoint, readPoints, writePoint } from "../../src/recovery/point-record.ts";
import { planBackup } from "../../src/recovery/plan-recovery.ts";
import { prepareRecovery, type RestoreMoment } from "../../src/recovery/prepare-recovery.ts";
import { FakePlant, RECORD, RUN, STACK } from "./fake-plant.ts";

async function plantWithBackup(): Promise<FakePlant> {
  const plant = await FakePlant.make();
  await writeBackupRecord(plant.paths, RECORD);
  return plant;
}

const point = (plant: FakePlant, name = "before-import") => prepareRecovery(plant.deps, { kind: "point", name });
const restore = (plant: FakePlant, to: RestoreMoment) => prepareRecovery(plant.deps, { kind: "restore", from: "local", to, isBeside: false });

describe("a point", () => {
  it("is written down with its time when log and files are in the repositories, and is what a restore goes to", async () => {
    using plant = await plantWithBackup();
    const { plan } = await point(plant);
    plant.asked.length = 0;
    expect((await plant.run(plan)).outcome).toBe("done");
    const marked = await readPoint(plant.paths, "before-import");
    expect(marked).toMatchObject({ name: "before-import", run: RUN, who: "operator", release: "r1" });
    expect(plant.asked.filter((asked) => !asked.startsWith("prepare"))).toEqual([
      expect.stringContaining("SELECT to_char"),
      expect.stringContaining("UPDATE millwright.heartbeat"),
      expect.stringContaining("current_setting('archive_command'"),
      "check",
      "take files",
    ]);
    plant.clock.pass(60_000);
    const { plan: back, notes } = await restore(plant, { kind: "point", name: "before-import" });
    expect(back.context["target"]).toEqual({ kind: "time", at: marked?.at });
    expect(notes[0]).toBe(`point before-import is ${marked?.at}, marked by operator`);
  });

  it("is none when its log does not arrive", async () => {
    using plant = await plantWithBackup();
    const { plan } = await point(plant);
    plant.fail("check", new MillwrightError("ARCHIVE_BROKEN", "The log does not arrive."));
    expect((await plant.run(plan)).outcome).toBe("undone");
    expect(await readPoints(plant.paths)).toEqual([]);
  });

  it("is refused where no backup is that it could be reached from, and under a name that there is", async () => {
    using empty = await FakePlant.make();
    await expect(point(empty)).rejects.toMatchObject({ code: "BACKUP_NOT_FOUND" });
    using plant = await plantWithBackup();
    await plant.run((await point(plant)).plan);
    await expect(point(plant)).rejects.toMatchObject({ code: "POINT_EXISTS" });
  });

  it("that is not there, or that nothing reaches back to any more, is said to be so", async () => {
    using plant = await plantWithBackup();
    await expect(restore(plant, { kind: "point", name: "nowhere" })).rejects.toThrow("There is no point nowhere");
    await writePoint(plant.paths, { version: 1, name: "old", at: "2026-11-01T10:00:00.000Z", run: RUN, who: "jo", release: "r0" });
    await expect(restore(plant, { kind: "point", name: "old" })).rejects.toMatchObject({
      code: "BACKUP_NOT_FOUND",
      message: expect.stringContaining("is before the end of the first backup, 2026-11-23T02:34:00.000Z: nothing reaches back to it"),
      details: [expect.stringContaining("point old is 2026-11-01T10:00:00.000Z")],
    });
  });

  it("is forgotten with the last backup that reaches back to it", async () => {
    using plant = await plantWithBackup();
    plant.backups = [];
    for (const [name, at] of [
      ["old", "2026-11-20T10:00:00.000Z"],
      ["reached", "2026-11-24T03:00:00.000Z"],
    ] as const)
      await writePoint(plant.paths, { version: 1, name, at, run: RUN, who: "jo", release: "r1" });
    const head = { id: "plan", stack: STACK, basis: "basis" };
    await plant.run(planBackup(head, { type: "full", release: RECORD.release, cause: "asked for", hasOffsite: false }));
    expect((await readPoints(plant.paths)).map(({ name }) => name)).toEqual(["reached"]);
  });
});

describe("the release that served at a moment", () => {
  const then = async (plant: FakePlant, at: string) =>
    (await prepareRecovery(plant.deps, { kind: "restore", from: "local", to: { kind: "time", at }, isBeside: false })).plan.context["servedThen"];
  const kept = { run: "a-run", isRollback: false, isKept: true };

  it("is that of the last upgrade before it which was not taken back", async () => {
    using plant = await plantWithBackup();
    plant.beginnings = [
      { ...kept, release: "r0", at: "2026-11-23T10:00:00.000Z" },
      { ...kept, release: "bad", at: "2026-11-24T00:30:00.000Z", isKept: false },
      { ...kept, release: "r1", at: "2026-11-24T01:00:00.000Z" },
    ];
    expect(await then(plant, "2026-11-24T00:59:00.000Z")).toBe("r0");
    // Of the moment that `--to release:r1` means.
    expect(await then(plant, "2026-11-24T01:00:00.000Z")).toBe("r0");
    expect(await then(plant, "2026-11-24T01:30:00.000Z")).toBeUndefined();
  });

  it("is that of the backup where the journal does not tell, nor holds together", async () => {
    using plant = await plantWithBackup();
    await writeBackupRecord(plant.paths, { ...RECORD, release: { ...RECORD.release, id: "r0" } });
    expect(await then(plant, "2026-11-24T01:30:00.000Z")).toBe("r0");
    const broken = async (): Promise<never> => {
      throw new MillwrightError("JOURNAL_BROKEN", "Entry 3 was changed.");
    };
    const to = { kind: "time", at: "2026-11-24T01:30:00.000Z" } as const;
    const { plan } = await prepareRecovery({ ...plant.deps, beginnings: broken }, { kind: "restore", from: "local", to, isBeside: false });
    expect(plan.context["servedThen"]).toBe("r0");
  });
});

describe("the moment before a release began to serve", () => {
  const began = (release: string, at: string, over: Partial<Beginning> = {}): Beginning => ({
    release,
    run: `run-to-${release}`,
    at: `2026-11-24T${at}.000Z`,
    isRollback: false,
    isKept: true,
    ...over,
  });

  it("is that of its last upgrade, not of a rollback to it", async () => {
    using plant = await plantWithBackup();
    plant.beginnings = [began("r2", "01:10:00"), began("r2", "01:30:00"), began("r1", "01:40:00", { isRollback: true })];
    const { plan, notes } = await restore(plant, { kind: "release", id: "r2" });
    expect(plan.context["target"]).toEqual({ kind: "time", at: "2026-11-24T01:30:00.000Z" });
    expect(notes[0]).toBe("the moment before release r2 began to serve is 2026-11-24T01:30:00.000Z, by run run-to-r2");
    await expect(restore(plant, { kind: "release", id: "r1" })).rejects.toMatchObject({ code: "RELEASE_NOT_FOUND" });
  });
});
