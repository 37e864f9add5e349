import { describe, expect, it } from "vitest";
import { backupsOfInfo, newestHistoryOfListing, problemsOfVerify, segmentsOfListing } from "../../src/recovery/pgbackrest-output.ts";

// As pgBackRest 2.60.0 printed them.
const BACKUP = {
  archive: { start: "000000010000000000000005", stop: "000000010000000000000006" },
  backrest: { format: 5, version: "2.60.0" },
  database: { id: 1, "repo-key": 1 },
  error: false,
  info: { delta: 8450, repository: { delta: 408, "delta-map": 0, "size-map": 25336 }, size: 24164897 },
  label: "20261129-000351F_20261129-000352D",
  prior: "20261129-000351F",
  reference: ["20261129-000351F"],
  timestamp: { start: 1795910632, stop: 1795910633 },
  type: "diff",
};
const info = (backup: readonly unknown[], code = 0, message = "ok"): string =>
  JSON.stringify([{ archive: [], backup, cipher: "aes-256-cbc", name: "main", status: { code, lock: { backup: { held: false } }, message } }]);
const VERIFIED = `
stanza: main
status: error
  archiveId: 18-1, total WAL checked: 7, total valid WAL: 7
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
  backup: 20261129-000351F, status: invalid, total files checked: 969, total valid files: 968
    missing: 0, checksum invalid: 1, size invalid: 0, other: 0
  backup: 20261129-000351F_20261129-000353I, status: valid, total files checked: 969, total valid files: 969
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
`;

describe("what pgBackRest says", () => {
  it("of its backups: label, type, times, sizes and the log they need", () => {
    expect(backupsOfInfo(`P00   WARN: something\n${info([BACKUP])}\n`)).toEqual([
      {
        label: "20261129-000351F_20261129-000352D",
        type: "diff",
        began: "2026-11-29T00:03:52.000Z",
        ended: "2026-11-29T00:03:53.000Z",
        size: 24164897,
        added: 408,
        firstSegment: "000000010000000000000005",
        lastSegment: "000000010000000000000006",
        isDamaged: false,
      },
    ]);
  });

  it("of a backup of damaged pages, which it ends with 0", () => {
    expect(backupsOfInfo(info([{ ...BACKUP, error: true }]))[0]?.isDamaged).toBe(true);
  });

  it("of a repository: no backup yet is in order, anything else is not", () => {
    expect(backupsOfInfo(info([], 2, "no valid backups"))).toEqual([]);
    expect(() => backupsOfInfo(info([], 5, "database system identifier mismatch"))).toThrow("database system identifier mismatch");
    expect(() => backupsOfInfo("")).toThrow("in a form that this version does not know");
  });

  it("of a repository that it does not reach: why, in a line", () => {
    const why = "[ServiceError] public key authentication failed: libssh2 error [-18]";
    const [stanza] = JSON.parse(info([], 99, "other")) as [object];
    const said = JSON.stringify([{ ...stanza, repo: [{ cipher: "aes-256-cbc", key: 1, status: { code: 99, message: `${why}\nHINT: check the log` } }] }]);
    expect(() => backupsOfInfo(said)).toThrow(`The database's repository is not in order: ${why}.`);
  });

  it("of archived segments, without checksums, folders and backup labels", () => {
    const listing = {
      ".": { type: "path" },
      "18-1/0000000100000000": { type: "path" },
      "18-1/0000000100000000/000000010000000000000004-bc24e241d4e4d0785ad43cc6b55a89578066b966.zst": { type: "file", size: 736, time: 1795910632 },
      "18-1/0000000100000000/000000010000000000000004.00000028.backup": { type: "file", size: 400, time: 1795910632 },
      "18-1/00000002.history": { type: "file", size: 60, time: 1795910632 },
      "archive.info": { type: "file", size: 368, time: 1795910634 },
    };
    expect(segmentsOfListing(JSON.stringify(listing))).toEqual(["000000010000000000000004"]);
  });

  it("of the newest line of the log, by the database that the repository was last made ready for; none while there is one line", () => {
    const listing = (...paths: readonly string[]): string => JSON.stringify(Object.fromEntries(paths.map((path) => [path, { type: "file" }])));
    expect(newestHistoryOfListing(listing("archive.info", "18-1/00000002.history", "18-1/0000000A.history", "18-1/00000003.history"))).toEqual({
      path: "18-1/0000000A.history",
      timeline: 10,
    });
    expect(newestHistoryOfListing(listing("18-1/00000005.history", "18-2/00000002.history"))?.path).toBe("18-2/00000002.history");
    expect(newestHistoryOfListing(listing("archive.info"))).toBeUndefined();
  });

  it("of a backup: where in the log it ended", () => {
    expect(backupsOfInfo(info([{ ...BACKUP, lsn: { start: "0/5000028", stop: "0/6000138" } }]))[0]?.end).toBe("0/6000138");
  });

  it("of a verification, although it ends with 0 whatever it finds (pgbackrest#2502)", () => {
    expect(problemsOfVerify(VERIFIED)).toEqual(["backup: 20261129-000351F: 1 × checksum invalid"]);
    expect(
      problemsOfVerify(VERIFIED.replace("status: error", "status: ok").replace("status: invalid", "status: valid").replace("invalid: 1", "invalid: 0")),
    ).toEqual([]);
  });

  it("never passes for good when nothing was said", () => {
    expect(problemsOfVerify("")).toEqual(["pgBackRest did not say what it has verified"]);
    expect(problemsOfVerify("status: error\n")).toEqual(["status: error"]);
    expect(problemsOfVerify("status: ok\n  backup: X, status: in-progress, total files checked: 1\n")).toEqual(["backup: X: in-progress"]);
  });
});
