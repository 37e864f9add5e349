import { describe, expect, it } from "vitest";
import { pgbackrest } from "../../src/recovery/pgbackrest.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { FakeDocker } from "../fakes/fake-docker.ts";

const archive = pgbackrest(new FakeDocker(new FakeClock()), "acme-production");

const SET = "20261129-023000F";

describe("the history of the newest line of the log", () => {
  it("is read out of the archive by the path that the listing gave", () => {
    const listing = JSON.stringify({ "18-1/00000002.history": { type: "file" } });
    const words = ["pgbackrest", "--stanza=main", "repo-get", "archive/main/18-1/00000002.history"];
    expect(archive.listing.newestHistory(listing)).toEqual({ timeline: 2, words });
  });
});

describe("what pgBackRest is told to restore", () => {
  it("always begins with a backup by its label: the newest, which it takes by itself, may have damaged pages", () => {
    for (const target of [{ kind: "latest" }, { kind: "time", at: "2026-11-29T13:05:00.000Z" }] as const)
      expect(archive.restoreWords(target, SET)).toContain(`--set=${SET}`);
  });

  it("is the end of the newest line of the log when all of it is wanted", () => {
    expect(archive.restoreWords({ kind: "latest" }, SET)).not.toContain("--target-timeline=current");
  });

  it("is a moment on the line of the backup before it: a restore to an earlier moment may have begun another one since", () => {
    expect(archive.restoreWords({ kind: "time", at: "2026-11-29T13:05:00.000Z" }, SET)).toEqual(
      expect.arrayContaining(["--target=2026-11-29 13:05:00.000+00", "--target-timeline=current", "--target-action=promote"]),
    );
  });

  it("is a backup by its label; pgBackRest takes its line by itself, and refuses to be told", () => {
    const words = archive.restoreWords({ kind: "backup", label: SET }, SET);
    expect(words).toEqual(expect.arrayContaining([`--set=${SET}`, "--type=immediate", "--target-action=promote"]));
    expect(words.join(" ")).not.toContain("timeline");
  });
});
