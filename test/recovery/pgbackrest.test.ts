import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { pgbackrest } from "../../src/recovery/pgbackrest.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { FakeDocker } from "../fakes/fake-docker.ts";

const archive = pgbackrest(new FakeDocker(new FakeClock()), "acme-production");

const SET = "20261129-023000F";

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

describe("what lies in plain view", () => {
  it("is put beside the offsite repository as it is, from the folder of the host's own", async () => {
    const docker = new FakeDocker(new FakeClock());
    docker.addContainer({ project: "acme-production", service: "database" });
    let asked: readonly string[] = [];
    docker.onExec = ({ words }) => {
      asked = words;
      return { code: 0, output: "" };
    };
    await pgbackrest(docker, "acme-production", "offsite").lay("site.tar.gz.age", new AbortController().signal);

    // The words as a real shell takes them, with another program in pgBackRest's place.
    const folder = await mkdtemp(join(tmpdir(), "millwright-"));
    await writeFile(join(folder, "site.tar.gz.age"), "sealed");
    await writeFile(join(folder, "pgbackrest"), '#!/bin/sh\necho "$@"; cat\n', { mode: 0o755 });
    const [shell = "", ...words] = asked.map((word) => word.replaceAll("/var/lib/pgbackrest", folder));
    const { stdout } = await promisify(execFile)(shell, words, { env: { PATH: `${folder}:/usr/bin:/bin` } });
    expect(stdout).toBe("--stanza=main --config=/etc/pgbackrest/offsite.conf --raw repo-put site.tar.gz.age\nsealed");
    await rm(folder, { recursive: true });
  });
});
