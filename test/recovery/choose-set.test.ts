import { describe, expect, it } from "vitest";
import { chooseSet } from "../../src/recovery/choose-set.ts";
import { newestLine } from "../../src/recovery/newest-line.ts";
import { backupOf } from "./fake-plant.ts";

const OLD = backupOf("oldF", "full", "2026-11-22T02:30:00.000Z");
const GOOD = backupOf("goodF", "full", "2026-11-23T02:30:00.000Z");
const DAMAGED = { ...backupOf("badF", "full", "2026-11-24T02:30:00.000Z"), isDamaged: true };

describe("the backup that a restore begins with", () => {
  it("is the newest that has no damaged pages, for all of the log", () => {
    expect(chooseSet([OLD, GOOD, DAMAGED], { kind: "latest" }).label).toBe("goodF");
  });

  it("is, for all of the log, the newest on its newest line: of one that was left PostgreSQL refuses to go on", () => {
    const before = { ...OLD, end: "0/5000000" };
    const leftBehind = { ...GOOD, end: "0/9000000" };
    const line = newestLine(2, "1\t0/7000028\tbefore 2026-11-22 14:00:00+00\n");
    expect(chooseSet([before, leftBehind], { kind: "latest" }, line).label).toBe("oldF");
    expect(() => chooseSet([leftBehind], { kind: "latest" }, line)).toThrow("was made after its line of the log was left");
  });

  it("is the newest such that had ended before the moment", () => {
    expect(chooseSet([OLD, GOOD, DAMAGED], { kind: "time", at: "2026-11-24T12:00:00.000Z" }).label).toBe("goodF");
    expect(chooseSet([OLD, GOOD, DAMAGED], { kind: "time", at: "2026-11-23T02:00:00.000Z" }).label).toBe("oldF");
  });

  it("is the one that was named, and none in its stead", () => {
    expect(chooseSet([OLD, GOOD], { kind: "backup", label: "oldF" }).label).toBe("oldF");
    expect(() => chooseSet([OLD, GOOD], { kind: "backup", label: "goneF" })).toThrow("Backup goneF is not in the repository");
    expect(() => chooseSet([DAMAGED], { kind: "latest" })).toThrow("or has damaged pages");
  });
});
