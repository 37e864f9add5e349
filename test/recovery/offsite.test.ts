import { mkdir, mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { beforeEach, describe, expect, it } from "vitest";
import { hostPaths } from "../../src/blueprint/host-paths.ts";
import type { Stack } from "../../src/blueprint/stack.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import type { JournalEntry } from "../../src/kernel/journal.ts";
import { type RunOutcome, runPlan } from "../../src/kernel/run-plan.ts";
import { backupsAt } from "../../src/recovery/backup-place.ts";
import { type BackupRecord, readBackupRecords, writeBackupRecord } from "../../src/recovery/backup-record.ts";
import type { BackupType, DatabaseArchive, DatabaseBackup } from "../../src/recovery/database-archive.ts";
import type { FileRepository, Snapshot } from "../../src/recovery/file-repository.ts";
import { keepSite, SITE_ARCHIVE } from "../../src/recovery/kept-site.ts";
import { planBackup } from "../../src/recovery/plan-recovery.ts";
import { chooseRestore, prepareRecovery } from "../../src/recovery/prepare-recovery.ts";
import { recoveryRun } from "../../src/recovery/recovery-context.ts";
import type { RecoveryDeps } from "../../src/recovery/recovery-deps.ts";
import { recoveryReport } from "../../src/recovery/recovery-report.ts";
import { RECOVERY_STEPS } from "../../src/recovery/recovery-steps.ts";
import type { Repositories } from "../../src/recovery/repositories.ts";
import { FakeClock } from "../fakes/fake-clock.ts";

const STACK = "acme-production";
const ARCHIVE = "-----BEGIN AGE ENCRYPTED FILE-----\nYQ==\n-----END AGE ENCRYPTED FILE-----\n";
const RELEASE = { id: "2026-11-24-1", image: `sha256:${"a".repeat(64)}` };
const GONE = new MillwrightError("ARCHIVE_BROKEN", "The log does not arrive: unable to connect to 192.0.2.9:9000.");

/** One place's repositories: it holds what it was given, and refuses everything while it is out of reach. */
class FakePlace implements Repositories {
  isGone = false;
  readonly calls: string[] = [];
  readonly held: DatabaseBackup[] = [];
  readonly taken: Snapshot[] = [];
  /** What lies beside the backups, and the folder of the host that it is taken from. */
  readonly laid: string[] = [];
  host = "";
  readonly #name: string;
  #made = 0;

  constructor(name: string) {
    this.#name = name;
  }

  #do(call: string): void {
    this.calls.push(call);
    if (this.isGone) throw GONE;
  }

  readonly archive: DatabaseArchive = {
    prepare: async () => this.#do("prepare"),
    adopt: async () => this.#do("adopt"),
    check: async () => this.#do("check"),
    backup: async (type: BackupType) => {
      this.#do(`backup ${type}`);
      this.#made += 1;
      const number = String(this.#made);
      const at = `2026-11-24T02:3${number}:00.000Z`;
      const segment = `00000001000000000000000${number}`;
      const made: DatabaseBackup = {
        label: `${this.#name}-${number}`,
        type,
        began: at,
        ended: at,
        size: 100,
        added: 10,
        firstSegment: segment,
        lastSegment: segment,
        isDamaged: false,
      };
      this.held.push(made);
      return made;
    },
    expire: async (keepFulls) => this.#do(`expire ${keepFulls}`),
    backups: async () => {
      this.#do("backups");
      return this.held;
    },
    segments: async () => this.held.map(({ firstSegment }) => firstSegment),
    verify: async () => [],
    listing: { backupsWords: [], backups: () => this.held, segmentsWords: [], segments: () => [], newestHistory: () => undefined },
    restoreWords: () => [],
    standbyWords: () => [],
  };

  readonly files: FileRepository = {
    prepare: async () => this.#do("prepare files"),
    take: async (kind) => {
      this.#do(`take ${kind}`);
      const id = `${this.#name}-${kind}-${this.taken.length}`;
      this.taken.push({ id, at: "2026-11-24T02:35:00.000Z", tags: [] });
      return { id, files: 2, bytes: 20, added: 2 };
    },
    snapshots: async () => this.taken,
    restore: async () => this.#do("restore"),
    lay: async (name) => {
      this.#do(`lay ${name}`);
      this.laid.push(await readFile(join(this.host, name), "utf8"));
    },
    read: async () => "",
    restoreHost: async () => this.#do("restore host"),
    verify: async () => [],
    forget: async () => this.#do("forget"),
  };
}

describe("a backup with an offsite repository", () => {
  let own: FakePlace;
  let offsite: FakePlace;
  let deps: RecoveryDeps;
  let notes: string[];

  beforeEach(async () => {
    const paths = hostPaths(STACK, await mkdtemp(join(tmpdir(), "offsite-")));
    for (const folder of [paths.backups, paths.data]) await mkdir(folder, { recursive: true });
    [own, offsite] = [new FakePlace("own"), new FakePlace("away")];
    offsite.host = join(paths.data, "recovery-host");
    notes = [];
    const facts = {
      stack: STACK,
      database: "odoo",
      directories: [],
      backup: { at: "02:30", full: 0, keepDays: 14, offsite: { place: "nas:9000/acme/", keepDays: 35 } },
    };
    deps = {
      ...({} as RecoveryDeps),
      stack: { id: "0123456789abcdef", facts } as unknown as Stack,
      paths,
      psql: { query: async () => [] },
      saveRelease: async () => Readable.from([]),
      archive: own.archive,
      files: own.files,
      offsite,
      clock: new FakeClock(),
      events: { emit: (event) => void (event.kind === "note" && notes.push(event.text)) },
      who: "maria",
    };
  });

  async function backUp(run: string, hasOffsite = true): Promise<{ readonly outcome: RunOutcome; readonly summary: string; readonly record: BackupRecord }> {
    const plan = planBackup({ id: run, stack: STACK, basis: "b" }, { type: "full", release: RELEASE, cause: "asked for", hasOffsite });
    const context = recoveryRun(deps, plan, run);
    const entries: JournalEntry[] = [];
    const journal = {
      append: async (entry: Pick<JournalEntry, "kind" | "step" | "detail">) =>
        void entries.push({ ...entry, seq: 0, at: "", run, who: "maria", previous: "", hash: "" }),
      entries: async () => entries,
    };
    const { clock, events } = deps;
    const outcome = await runPlan({ plan, table: RECOVERY_STEPS, context, journal, events, clock, signal: new AbortController().signal });
    const resultOf = (step: string) => entries.findLast((entry) => entry.kind === "done" && entry.step === step)?.detail;
    const record = (await readBackupRecords(deps.paths)).find(({ id }) => id === run) ?? expect.fail("no record");
    return { outcome, summary: recoveryReport(context.plan, outcome, resultOf).summary, record };
  }

  it("is made on the host first, then there, and its record names both", async () => {
    const { outcome, record, summary } = await backUp("20261124-1");
    expect(outcome).toEqual({ outcome: "done", warnings: [] });
    expect(record).toMatchObject({ database: { label: "own-1" }, offsite: { database: { label: "away-1" }, files: { snapshot: "away-files-0" }, host: {} } });
    expect(summary).toMatch(/offsite as well\.$/);
    expect(offsite.calls).toEqual([
      "prepare",
      "check",
      "backup full",
      "backups",
      "prepare files",
      "take files",
      "take host",
      "backups",
      "expire 1",
      "backups",
      "forget",
    ]);
    expect(own.calls).toContain("expire 1");
  });

  it("has the site folder in both places, in plain view beside what its keys open, and leaves nothing of it in between", async () => {
    await keepSite(deps.paths, { version: 1, at: "", who: "maria", hash: "a".repeat(64), hasRecoveryKey: true, archive: ARCHIVE });
    const { record } = await backUp("20261124-1");
    expect(record.site).toEqual({ hash: "a".repeat(64), hasRecoveryKey: true });
    expect(await readFile(join(deps.paths.backup, SITE_ARCHIVE), "utf8")).toBe(ARCHIVE);
    expect(offsite.laid).toEqual([ARCHIVE]);
    expect(offsite.calls).toEqual(expect.arrayContaining(["take host", `lay ${SITE_ARCHIVE}`]));
    expect(await readdir(join(deps.paths.data, "recovery-host"))).toEqual([]);
  });

  it("stands on the host when the other is out of reach; the run says so at once, and asks it for nothing more", async () => {
    offsite.isGone = true;
    const { outcome, record, summary } = await backUp("20261124-1");
    expect(outcome.outcome).toBe("done");
    expect(outcome.warnings).toEqual([expect.stringContaining("unable to connect to 192.0.2.9:9000")]);
    expect(record.offsite).toBeUndefined();
    expect(summary).toMatch(/but only on the host \(.*unable to connect/);
    expect(offsite.calls).toEqual(["prepare"]);
    expect(notes).toEqual([]);
  });

  it("does not happen there when it did not on the host", async () => {
    own.isGone = true;
    await expect(backUp("20261124-1")).rejects.toThrow("no record");
    expect(offsite.calls).toEqual([]);
  });

  it("is not made anew where somebody has emptied the other place: its old versions would lie under it", async () => {
    await backUp("20261124-1");
    offsite.held.length = 0;
    offsite.calls.length = 0;
    const { outcome, summary } = await backUp("20261124-2");
    expect(outcome.outcome).toBe("done");
    expect(summary).toContain("nas:9000/acme/ held backups and holds none");
    expect(offsite.calls).toEqual(["backups"]);
  });

  it("is as it always was for a site that has none", async () => {
    const { summary, record } = await backUp("20261124-1", false);
    expect(summary).not.toContain("host");
    expect(record).not.toHaveProperty("offsite");
    expect(offsite.calls).toEqual([]);
  });

  it("is known for as long as either place holds it, and is restored from where it is", async () => {
    await backUp("20261124-1");
    own.held.shift();
    await backUp("20261124-2");
    const records = await readBackupRecords(deps.paths);
    expect(records.map(({ id, isOnlyOffsite }) => [id, isOnlyOffsite === true])).toEqual([
      ["20261124-1", true],
      ["20261124-2", false],
    ]);
    expect(backupsAt("local", records).map(({ id }) => id)).toEqual(["20261124-2"]);
    const named = { kind: "backup", id: "20261124-1" } as const;
    expect(chooseRestore(backupsAt("offsite", records), named, deps.clock.now()).target).toEqual({ kind: "backup", label: "away-1" });

    offsite.held.shift();
    await backUp("20261124-3");
    expect((await readBackupRecords(deps.paths)).map(({ id }) => id)).toEqual(["20261124-2", "20261124-3"]);
  });

  it("is not looked for there before one was made, nor where there is no such place", async () => {
    await writeBackupRecord(deps.paths, { ...(await backUp("20261124-1", false)).record });
    await mkdir(deps.paths.state, { recursive: true });
    await expect(prepareRecovery(deps, { kind: "restore", from: "offsite", to: { kind: "now" }, isBeside: true })).rejects.toMatchObject({
      code: expect.stringMatching(/BACKUP_NOT_FOUND|RELEASE_NOT_FOUND/),
    });
  });
});
