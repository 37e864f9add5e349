import { describe, expect, it } from "vitest";
import type { Snapshot } from "../../src/recovery/file-repository.ts";
import { fullsToKeep, snapshotsToDrop } from "../../src/recovery/retention.ts";
import { backupOf } from "./fake-plant.ts";

const full = (day: string) => backupOf(`${day}F`, "full", `${day}T02:30:00.000Z`);
const diff = (day: string) => backupOf(`${day}D`, "diff", `${day}T02:30:00.000Z`);
/** One a week, as by schedule. */
const WEEKLY = ["2026-11-01", "2026-11-08", "2026-11-15", "2026-11-22", "2026-11-29"].map(full);
const AHEAD = "2031-05-01";

describe("backups of the database", () => {
  it("reach back as many days as the site keeps, and not much further", () => {
    expect(fullsToKeep(WEEKLY, 14)).toBe(3);
    expect(fullsToKeep([...WEEKLY, diff("2026-11-30")], 14)).toBe(3);
    expect(fullsToKeep(WEEKLY, 7)).toBe(2);
    expect(fullsToKeep(WEEKLY, 35)).toBe(5);
  });

  it("of before outlast a clock that jumps years ahead: as many weeks are kept as the site's days are", () => {
    expect(fullsToKeep([...WEEKLY, full(AHEAD)], 14)).toBe(3);
    expect(fullsToKeep([...WEEKLY.slice(0, 2), full(AHEAD)], 14)).toBe(3);
  });

  it("of before outlast a clock that jumps back", () => {
    expect(fullsToKeep([...WEEKLY, full("1970-01-01")], 14)).toBe(6);
  });

  it("outlast many full ones of one day, which a person may make", () => {
    const many = Array.from({ length: 9 }, () => full("2026-11-29"));
    expect(fullsToKeep([...WEEKLY.slice(0, 4), ...many], 14)).toBe(11);
  });

  it("that are damaged push no good one out", () => {
    const damaged = ["2026-11-15", "2026-11-22", "2026-11-29"].map((day) => ({ ...full(day), isDamaged: true }));
    expect(fullsToKeep([...WEEKLY.slice(0, 2), ...damaged], 14)).toBe(5);
  });

  it("are all kept while there are none", () => {
    expect(fullsToKeep([], 14)).toBe(0);
  });
});

describe("snapshots of the files", () => {
  const at = (text: string): string => `2026-11-${text}:00.000Z`;
  const minute = (text: string): Snapshot => ({ id: text, at: at(text), tags: ["minute"] });
  const daily = (text: string): Snapshot => ({ id: text, at: at(text), tags: ["files", "a-run"] });
  const now = Date.parse("2026-11-29T03:00:00.000Z");

  it("go with the database's oldest backup, but for the last one before it, which has what was removed since", () => {
    const snapshots = ["12T02:35", "13T02:35", "14T02:35", "15T02:35"].map(daily);
    expect(snapshotsToDrop(snapshots, at("14T02:30"), now)).toEqual(["12T02:35"]);
    expect(snapshotsToDrop(snapshots, undefined, now)).toEqual([]);
  });

  it("of a minute are for the last two days", () => {
    const snapshots = [minute("26T09:00"), daily("27T02:35"), minute("27T02:50"), minute("27T09:00"), daily("28T02:35"), daily("29T02:35"), minute("29T02:50")];
    expect(snapshotsToDrop(snapshots, at("20T00:00"), now)).toEqual(["26T09:00"]);
  });

  it("of before outlast a clock that jumps years ahead, those of a minute as well", () => {
    const snapshots = [
      daily("27T02:35"),
      minute("27T09:00"),
      daily("28T02:35"),
      minute("28T09:00"),
      { id: "ahead", at: `${AHEAD}T02:35:00.000Z`, tags: ["files"] },
    ];
    expect(snapshotsToDrop(snapshots, at("14T02:30"), Date.parse(`${AHEAD}T03:00:00.000Z`))).toEqual([]);
  });
});
