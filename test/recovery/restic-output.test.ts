import { describe, expect, it } from "vitest";
import { resticProblem, snapshotOfBackup, snapshotsOfListing } from "../../src/recovery/restic-output.ts";

// As restic 0.19.1 printed them.
const SUMMARY = `{"message_type":"summary","files_new":1,"files_changed":0,"files_unmodified":0,"dirs_new":4,"dirs_changed":0,"dirs_unmodified":0,"data_blobs":1,"tree_blobs":5,"data_added":1635,"data_added_packed":1497,"total_files_processed":12,"total_bytes_processed":3,"total_duration":0.8,"backup_start":"2026-11-29T00:04:10.477150001Z","backup_end":"2026-11-29T00:04:11.296306596Z","snapshot_id":"ed9ce20a"}`;
const snapshot = (id: string, time: string, tags: readonly string[] | null): unknown => ({
  time,
  tree: "0d",
  paths: ["/data"],
  hostname: "acme-production",
  tags,
  id,
  short_id: id,
});

describe("what restic says", () => {
  it("of the snapshot it has made", () => {
    expect(snapshotOfBackup(`warning\n${SUMMARY}\n`)).toEqual({ id: "ed9ce20a", files: 12, bytes: 3, added: 1497 });
    expect(() => snapshotOfBackup('{"message_type":"error"}\n')).toThrow("did not say which snapshot");
  });

  it("of its snapshots, oldest first, whatever zone it ran in", () => {
    const listed = [snapshot("b", "2026-11-29T02:04:10.477+01:00", null), snapshot("a", "2026-11-29T00:04:10.477150001Z", ["files", "run1"])];
    expect(snapshotsOfListing(JSON.stringify(listed))).toEqual([
      { id: "a", at: "2026-11-29T00:04:10.477Z", tags: ["files", "run1"] },
      { id: "b", at: "2026-11-29T01:04:10.477Z", tags: [] },
    ]);
    expect(() => snapshotsOfListing("Fatal: wrong password")).toThrow("in a form that this version does not know");
  });

  it("with its exit status: only 0 is good, and files that could not be read are a failure", () => {
    expect(resticProblem(0)).toBeUndefined();
    expect([1, 3, 10, 11, 12, 99, 137].map((code) => resticProblem(code))).toEqual([
      "restic ended with 1",
      "some files could not be read",
      "there is no repository",
      "another program holds the repository's lock",
      "the repository was made with another key",
      "restic ended with 99",
      "it was killed: it did not end in time, or needed more memory than it may have",
    ]);
  });
});
