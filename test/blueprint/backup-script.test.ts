import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BLUEPRINT_DIRECTORY } from "./fixtures/example-input.ts";

const SCRIPT = join(BLUEPRINT_DIRECTORY, "parts/backup/backup.sh");

/** Stand-ins for the programs of the PostgreSQL image: the dump is `rows`, and its table of contents is as pg_restore prints it. */
const PROGRAMS = {
  psql: `case "$*" in *DISTINCT*) cat "$ATTACHMENTS" ;; *) echo t ;; esac`,
  pg_dump: `for word; do case "$word" in --file=*) echo "$DUMP" > "\${word#--file=}" ;; esac; done; exit "\${DUMP_EXIT:-0}"`,
  pg_restore: `grep -q rows "$2" && echo '123; 0 1 TABLE DATA public ir_module_module odoo'`,
};

describe.skipIf(spawnSync("flock", ["--version"]).status !== 0 || spawnSync("date", ["-d", "02:30"]).status !== 0)("the backup script", () => {
  let folder = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "backup-"));
    for (const name of ["bin", "backup", "metrics", "filestore/ab"]) mkdirSync(join(folder, name), { recursive: true });
    for (const [name, body] of Object.entries(PROGRAMS)) {
      writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${body}\n`);
      chmodSync(join(folder, "bin", name), 0o755);
    }
    addAttachment("ab/abc1");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function addAttachment(name: string): void {
    writeFileSync(join(folder, "filestore", name), name);
    writeFileSync(join(folder, "attachments"), `${name}\n`, { flag: "a" });
  }

  function run(word: string, environment: Readonly<Record<string, string>> = {}): number | null {
    return spawnSync("sh", [SCRIPT, word], {
      encoding: "utf8",
      env: {
        PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
        BACKUP_ROOT: join(folder, "backup"),
        BACKUP_FILESTORE: join(folder, "filestore"),
        BACKUP_METRICS: join(folder, "metrics"),
        BACKUP_KEEP: "2",
        BACKUP_AT: "02:30",
        PGDATABASE: "odoo",
        ATTACHMENTS: join(folder, "attachments"),
        DUMP: "rows",
        ...environment,
      },
    }).status;
  }

  function backups(): readonly string[] {
    return readdirSync(join(folder, "backup"))
      .filter((name) => /^\d/.test(name))
      .sort();
  }

  /** Makes a backup look older, since two in one second would have one name. */
  function age(name: string, to: string): void {
    spawnSync("mv", [join(folder, "backup", name), join(folder, "backup", to)]);
  }

  it("keeps dump, filestore and what it found, and says so in a marker and a metric", () => {
    expect(run("now")).toBe(0);
    const [name = ""] = backups();
    expect(readFileSync(join(folder, "backup", name, "filestore/ab/abc1"), "utf8")).toBe("ab/abc1");
    expect(readFileSync(join(folder, "backup", name, "manifest.txt"), "utf8")).toBe("database=odoo\ndump_bytes=5\nattachments=1\nattachments_missing=0\n");
    expect(readFileSync(join(folder, "metrics/backup.prom"), "utf8")).toMatch(/^backup_last_success_timestamp_seconds \d+$/m);
    expect(run("check")).toBe(0);
  });

  it("links what the previous backup has and copies only what is new", () => {
    run("now");
    age(backups()[0] ?? "", "20200101T000000Z");
    addAttachment("ab/abc2");
    run("now");
    const inodes = (file: string): readonly number[] => backups().map((name) => statSync(join(folder, "backup", name, file)).ino);
    expect(new Set(inodes("filestore/ab/abc1")).size).toBe(1);
    expect(existsSync(join(folder, "backup", backups()[0] ?? "", "filestore/ab/abc2"))).toBe(false);
    expect(existsSync(join(folder, "backup", backups()[1] ?? "", "filestore/ab/abc2"))).toBe(true);
  });

  it("never writes into a file that older backups share", () => {
    run("now");
    age(backups()[0] ?? "", "20200101T000000Z");
    const file = join(folder, "filestore/ab/abc1");
    writeFileSync(file, "changed");
    utimesSync(file, new Date("2099-01-01"), new Date("2099-01-01"));
    run("now");
    expect(readFileSync(join(folder, "backup/20200101T000000Z/filestore/ab/abc1"), "utf8")).toBe("ab/abc1");
  });

  it("keeps as many as it is told", () => {
    for (const to of ["20200101T000000Z", "20200102T000000Z", "20200103T000000Z"]) {
      run("now");
      age(backups().at(-1) ?? "", to);
    }
    expect(backups()).toEqual(["20200102T000000Z", "20200103T000000Z"]);
  });

  it.each([
    ["pg_dump fails", { DUMP_EXIT: "1" }],
    ["the dump does not hold Odoo's tables", { DUMP: "nothing" }],
  ])("is unhealthy and leaves no backup when %s", (_, environment) => {
    expect(run("now", environment)).toBe(1);
    expect(backups()).toEqual([]);
    expect(run("check")).toBe(1);
    expect(run("now")).toBe(0);
    expect(run("check")).toBe(0);
  });

  it("is healthy while the first backup is to come and unhealthy when the newest is older than 26 hours", () => {
    expect(run("check")).toBe(0);
    writeFileSync(join(folder, "backup/last-success"), `${Math.floor(Date.now() / 1000) - 27 * 3600}\n`);
    expect(run("check")).toBe(1);
  });

  it("counts attachments that the filestore lacks", () => {
    writeFileSync(join(folder, "attachments"), "zz/gone\n", { flag: "a" });
    run("now");
    expect(readFileSync(join(folder, "backup", backups()[0] ?? "", "manifest.txt"), "utf8")).toMatch(/attachments=2\nattachments_missing=1/);
  });
});
