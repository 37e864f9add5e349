import { describe, expect, it } from "vitest";
import { parseMoment } from "../../src/cli/commands/backup.ts";
import type { BackupRecord } from "../../src/recovery/backup-record.ts";
import { chooseSnapshots } from "../../src/recovery/choose-snapshots.ts";
import { chooseRestore } from "../../src/recovery/prepare-recovery.ts";

const snapshot = (at: string) => ({ id: `s${at}`, at: `2026-11-29T${at}:00.000Z`, tags: [] });
const SNAPSHOTS = [snapshot("02:30"), snapshot("09:00"), snapshot("14:00")];

describe("the files of a moment", () => {
  it("are the newest snapshot when the database goes to the end of its log", () => {
    expect(chooseSnapshots(SNAPSHOTS, undefined)).toEqual({ base: snapshot("14:00"), fillIn: undefined, completeTo: "2026-11-29T14:00:00.000Z" });
  });

  it("are the first snapshot after it, and below that what was removed since the last one before it", () => {
    expect(chooseSnapshots(SNAPSHOTS, "2026-11-29T08:15:00.000Z")).toMatchObject({ base: snapshot("09:00"), fillIn: snapshot("02:30") });
    expect(chooseSnapshots(SNAPSHOTS, "2026-11-29T09:00:00.000Z")).toMatchObject({ base: snapshot("09:00"), fillIn: snapshot("02:30") });
  });

  it("are whole only up to the last snapshot before it: what was written later may be lost before the next one", () => {
    expect(chooseSnapshots(SNAPSHOTS, "2026-11-29T08:15:00.000Z").completeTo).toBe("2026-11-29T02:30:00.000Z");
    expect(chooseSnapshots(SNAPSHOTS, "2026-11-29T15:00:00.000Z").completeTo).toBe("2026-11-29T14:00:00.000Z");
  });

  it("are the newest alone when it is later than all of them, and the oldest alone when it is earlier", () => {
    expect(chooseSnapshots(SNAPSHOTS, "2026-11-29T15:00:00.000Z")).toMatchObject({ base: snapshot("14:00"), fillIn: undefined });
    expect(chooseSnapshots(SNAPSHOTS, "2026-11-28T00:00:00.000Z")).toMatchObject({ base: snapshot("02:30"), fillIn: undefined });
  });

  it("cannot be had without a snapshot", () => {
    expect(() => chooseSnapshots([], undefined)).toThrow("no snapshot of the files");
  });
});

const record = (id: string, at: string, ended: string): BackupRecord => ({
  version: 1,
  id,
  stack: "acme-production",
  at: `2026-11-${at}:00.000Z`,
  ended: `2026-11-${ended}:00.000Z`,
  who: "schedule",
  release: { id: "r1", image: "sha256:a" },
  database: { label: `${id}F`, type: "full", size: 1, added: 1 },
  files: { snapshot: "s", files: 1, bytes: 1, added: 1 },
  counts: {},
  modules: [],
});
const RECORDS = [record("b1", "28T02:30", "28T02:34"), record("b2", "29T02:30", "29T02:34")];
const NOW = Date.parse("2026-11-29T15:00:00.000Z");

describe("the backup that is restored", () => {
  it("is the newest for the end of the log, the last one before a time, or the one that was named", () => {
    expect(chooseRestore(RECORDS, { kind: "now" }, NOW)).toMatchObject({ backup: { id: "b2" }, target: { kind: "latest" } });
    expect(chooseRestore(RECORDS, { kind: "time", at: "2026-11-29T03:33:00+01:00" }, NOW)).toMatchObject({
      backup: { id: "b1" },
      target: { kind: "time", at: "2026-11-29T02:33:00.000Z" },
    });
    expect(chooseRestore(RECORDS, { kind: "backup", id: "b1" }, NOW)).toMatchObject({ target: { kind: "backup", label: "b1F" } });
  });

  it("cannot be one of before the first, of a time to come, of another name, or of none at all", () => {
    expect(() => chooseRestore(RECORDS, { kind: "time", at: "2026-11-28T02:33:00Z" }, NOW)).toThrow("before the end of the first backup");
    expect(() => chooseRestore(RECORDS, { kind: "time", at: "2026-11-29T15:00:01Z" }, NOW)).toThrow("yet to come");
    expect(() => chooseRestore(RECORDS, { kind: "backup", id: "b9" }, NOW)).toThrow("There is no backup b9");
    expect(() => chooseRestore([], { kind: "now" }, NOW)).toThrow("There is no backup yet");
  });
});

describe("a moment that a person types", () => {
  it("is now, a backup, a point, a release, or a time with its zone", () => {
    expect(parseMoment("now")).toEqual({ kind: "now" });
    expect(parseMoment("backup:20261129-023005-ab12")).toEqual({ kind: "backup", id: "20261129-023005-ab12" });
    expect(parseMoment("2026-11-29 14:05+01:00")).toEqual({ kind: "time", at: "2026-11-29T13:05:00.000Z" });
    expect(parseMoment("2026-11-29T13:05:07Z")).toEqual({ kind: "time", at: "2026-11-29T13:05:07.000Z" });
    expect(parseMoment("point:before-import")).toEqual({ kind: "point", name: "before-import" });
    expect(parseMoment("release:2026-11-24-1")).toEqual({ kind: "release", id: "2026-11-24-1" });
  });

  it.each(["yesterday", "2026-11-29", "2026-11-29T14:05", "14:05Z", "2026-13-29T14:05Z", "point:", "point:../x", ""])("is never guessed: %j", (text) => {
    expect(() => parseMoment(text)).toThrow("is no moment to restore to");
  });
});
