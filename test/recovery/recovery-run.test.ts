import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MillwrightError } from "../../src/kernel/errors.ts";
import type { Plan } from "../../src/kernel/plan.ts";
import { readBackupRecords, writeBackupRecord } from "../../src/recovery/backup-record.ts";
import type { RestoreTarget } from "../../src/recovery/database-archive.ts";
import type { Snapshot } from "../../src/recovery/file-repository.ts";
import { readDrillRecord } from "../../src/recovery/drill-record.ts";
import { planBackup, planDrill, planRestore, planVerify } from "../../src/recovery/plan-recovery.ts";
import { prepareRecovery } from "../../src/recovery/prepare-recovery.ts";
import { recoveryRun } from "../../src/recovery/recovery-context.ts";
import { recoveryReport } from "../../src/recovery/recovery-report.ts";
import { readVerifyRecord } from "../../src/recovery/verify-record.ts";
import { backupOf, Cut, FakePlant, RECORD, RUN, STACK } from "./fake-plant.ts";

const HEAD = { id: "plan", stack: STACK, basis: "basis" };
const RELEASE = RECORD.release;

function restoreTo(target: RestoreTarget, isBeside = false): Plan {
  return planRestore(HEAD, { from: "local", release: RELEASE, colour: "blue", backup: RECORD, target, isBeside });
}

const TO_NOW = restoreTo({ kind: "latest" });

describe("a restore", () => {
  it("puts what was restored in the plant's place, and backs it up as a whole", async () => {
    using plant = await FakePlant.make();
    expect(await plant.run(TO_NOW)).toMatchObject({ outcome: "done", warnings: [] });
    expect(await plant.whole()).toMatchObject({ rows: "restored", files: "restored", isArchiving: true, routed: "blue", astray: [], scratch: [] });
    expect(plant.asked).toContain("backup full");
  });

  it("writes that backup down, with its files and counts: the newest record would be of the line that was left", async () => {
    using plant = await FakePlant.make();
    await writeBackupRecord(plant.paths, RECORD);
    expect((await plant.run(TO_NOW)).outcome).toBe("done");
    const made = plant.backups.at(-1);
    expect(await readBackupRecords(plant.paths)).toMatchObject([
      { id: RECORD.id },
      {
        id: RUN,
        release: RELEASE,
        database: { label: made?.label, type: "full" },
        files: { files: 1 },
        host: {},
        counts: { res_partner: 100 },
        modules: ["base"],
      },
    ]);
    const { plan } = await prepareRecovery(plant.deps, { kind: "restore", from: "local", to: { kind: "now" }, isBeside: true });
    expect(plan.context["backup"]).toMatchObject({ id: RUN });
  });

  it("writes none down that is not whole", async () => {
    using plant = await FakePlant.make();
    plant.fail("take host", new MillwrightError("BACKUP_FAILED", "The disk is full."));
    expect((await plant.run(TO_NOW)).warnings).toEqual([expect.stringContaining("Back up everything, and write it down: The disk is full.")]);
    expect(await readBackupRecords(plant.paths)).toEqual([]);
  });

  it("begins with a snapshot of the files as they are: those of the last seconds would be missing", async () => {
    using plant = await FakePlant.make();
    await plant.run(TO_NOW);
    expect(plant.asked.indexOf("take files")).toBe(plant.asked.findIndex((asked) => asked.startsWith("take")));
    expect(plant.asked.filter((asked) => asked.startsWith("restore"))).toEqual([`restore ${plant.snapshots[1]?.id ?? "none"}`]);
  });

  it("does without it when the files are gone, which it is for, and says so", async () => {
    using plant = await FakePlant.make();
    plant.fail("take files", new MillwrightError("BACKUP_FAILED", "The files could not be backed up."));
    expect((await plant.run(TO_NOW)).outcome).toBe("done");
    const told = plant.journalEntries.find(({ kind, step }) => kind === "done" && step === "archive-now");
    expect(told?.detail["summary"]).toBe("no snapshot of the files as they are: The files could not be backed up.");
  });

  it("holds the restored database's log back until users were led to it", async () => {
    using plant = await FakePlant.make();
    let isArchiving: boolean | undefined;
    plant.atPoint = (what) => {
      if (what === "lead back") ({ isArchiving } = plant.rows("postgres") ?? {});
    };
    await plant.run(TO_NOW);
    expect(isArchiving).toBe(false);
  });

  it("stays in place when the archive does not take its log: users have worked on it since", async () => {
    using plant = await FakePlant.make();
    plant.atPoint = (what) => {
      if (what === "lead back") plant.fail("check", new MillwrightError("ARCHIVE_BROKEN", "The repository is full."));
    };
    const { outcome, warnings } = await plant.run(TO_NOW);
    expect(outcome).toBe("done");
    expect(warnings).toContainEqual("Let the database archive its log again: The repository is full.");
    expect(await plant.whole()).toMatchObject({ rows: "restored", isArchiving: true, routed: "blue" });
  });

  it("of a database that was dead already ends, also when it cannot be put in place: the next one may begin", async () => {
    using plant = await FakePlant.make();
    plant.docker.crash(STACK, "database");
    plant.docker.behave(`${STACK}/database`, { exits: 1 });
    const { outcome, error } = await plant.run(TO_NOW);
    expect([outcome, error?.code]).toEqual(["undone", "SERVICE_UNHEALTHY"]);
    expect(await plant.whole()).toMatchObject({ rows: "present", files: "present", routed: "blue", astray: [], scratch: [] });
  });

  it("stops the other colour, too, when somebody has started it: it would go on with the files of before", async () => {
    using plant = await FakePlant.make();
    plant.docker.addContainer({ project: `${STACK}-green`, service: "web" });
    expect((await plant.run(TO_NOW)).outcome).toBe("done");
    expect((await plant.whole())["running"]).not.toContain(`${STACK}-green/web`);
  });

  it("says what is there when it was aborted after that", () => {
    const outcome = { outcome: "undone" as const, error: new MillwrightError("ABORTED", "The run was aborted by jo."), warnings: [] };
    const context = TO_NOW.context as never;
    expect(recoveryReport(context, outcome, () => undefined).summary).toContain("the plant is as it was");
    expect(recoveryReport(context, outcome, (step) => (step === "lead-back" ? {} : undefined)).summary).toContain("is in place and stays there");
  });

  it("of a backup takes the files that were there at its end, not those of a snapshot in the middle of it", async () => {
    using plant = await FakePlant.make();
    plant.snapshots = [snapshot("before", "02:00"), snapshot("middle", "02:31"), snapshot("own", "02:33"), snapshot("next", "02:50")];
    await plant.run(restoreTo({ kind: "backup", label: RECORD.database.label }, true));
    expect(plant.asked.filter((asked) => asked.startsWith("restore"))).toEqual(["restore next", "restore own"]);
  });
});

describe("a restore to when another release served", () => {
  const across = planRestore(HEAD, {
    from: "local",
    release: RELEASE,
    colour: "blue",
    backup: RECORD,
    target: { kind: "latest" },
    servedThen: "r0",
    isBeside: false,
  });

  it("takes the plant's place when the release that serves passes all its probes on it", async () => {
    using plant = await FakePlant.make();
    expect((await plant.run(across)).outcome).toBe("done");
    expect(await plant.whole()).toMatchObject({ rows: "restored", routed: "blue" });
  });

  it("is taken back when it fails one that it had passed, though its login page is good", async () => {
    using plant = await FakePlant.make();
    plant.failsOn = (word) => (word === "restored" ? ["orders"] : []);
    const { outcome, error } = await plant.run(across);
    expect({ outcome, code: error?.code, details: error?.details }).toEqual({
      outcome: "undone",
      code: "RELEASE_UNHEALTHY",
      details: ["orders: orders failed"],
    });
    expect(await plant.whole()).toMatchObject({ rows: "present", files: "present", routed: "blue", astray: [], scratch: [] });
  });

  it("does not ask for more than it passed before", async () => {
    using plant = await FakePlant.make();
    plant.failsOn = () => ["orders"];
    expect((await plant.run(across)).outcome).toBe("done");
  });

  it("is not kept from a plant that is down", async () => {
    using plant = await FakePlant.make();
    plant.docker.crash(`${STACK}-blue`, "web");
    plant.failsOn = () => ["orders"];
    expect((await plant.run(across)).outcome).toBe("done");
  });

  it("of the release that serves asks for the login page only", async () => {
    using plant = await FakePlant.make();
    plant.failsOn = () => ["orders"];
    expect((await plant.run(TO_NOW)).outcome).toBe("done");
  });
});

describe("a restore of less than was counted at the backup", () => {
  const few = { word: "restored", isArchiving: true, counts: { res_partner: 40 }, modules: ["base"] };
  const notes = (plant: FakePlant) => plant.events.flatMap((event) => (event.kind === "note" && event.level === "warning" ? [event.text] : []));
  const toItself: RestoreTarget = { kind: "backup", label: RECORD.database.label };

  it("is none while the plant still has it: a bad backup must not take its place", async () => {
    using plant = await FakePlant.make();
    plant.archived = few;
    expect(await plant.run(TO_NOW)).toMatchObject({ outcome: "undone", error: { code: "BACKUP_DAMAGED" } });
  });

  it("is good when people have deleted as much since, and what is restored is of later", async () => {
    for (const [target, outcome] of [
      [{ kind: "latest" }, "done"],
      [toItself, "undone"],
    ] as const) {
      using plant = await FakePlant.make({ res_partner: 40 });
      plant.archived = few;
      expect((await plant.run(restoreTo(target))).outcome).toBe(outcome);
    }
  });

  it("is good when a module was uninstalled since, with its tables, in a drill as well; its own backup must have it", async () => {
    const backup = { ...RECORD, counts: { res_partner: 100, mrp_bom: 7 }, modules: ["base", "mrp"] };
    const restore = (target: RestoreTarget): Plan => planRestore(HEAD, { from: "local", release: RELEASE, colour: "blue", backup, target, isBeside: true });
    for (const plan of [
      restore({ kind: "latest" }),
      restore({ kind: "time", at: "2026-11-23T14:00:00.000Z" }),
      planDrill(HEAD, { from: "local", release: RELEASE, backup, target: { kind: "latest" } }),
    ]) {
      using plant = await FakePlant.make();
      expect((await plant.run(plan)).outcome).toBe("done");
      expect(notes(plant)).toEqual([
        expect.stringContaining("the plant has no more of it either: the table mrp_bom is missing; the module mrp is not installed."),
      ]);
    }
    using plant = await FakePlant.make();
    expect(await plant.run(restore(toItself))).toMatchObject({ outcome: "undone", error: { code: "BACKUP_DAMAGED" } });
  });

  it("is none when the plant still has the module: that is damage", async () => {
    using plant = await FakePlant.make();
    plant.archived = { ...few, counts: { res_partner: 100 }, modules: [] };
    expect(await plant.run(TO_NOW)).toMatchObject({ error: { code: "BACKUP_DAMAGED", details: ["the module base is not installed"] } });
  });

  it("of a plant that cannot be asked is good, and told with numbers: it may have been deleted, and the restore is needed now", async () => {
    for (const kill of [
      (plant: FakePlant) => plant.docker.crash(STACK, "database"),
      (plant: FakePlant) => {
        plant.fail(`${STACK}: SELECT relname FROM pg_class WHERE relki`, new MillwrightError("DATABASE_FAILED", "It is gone."));
        plant.atPoint = (what) => {
          if (what === "before begun away") plant.failing.clear();
        };
      },
    ]) {
      using plant = await FakePlant.make();
      kill(plant);
      plant.archived = few;
      expect((await plant.run(TO_NOW)).outcome).toBe("done");
      expect(notes(plant)).toEqual([expect.stringContaining("cannot be asked whether that was removed: res_partner has 40 rows, and had 100.")]);
      const told = (step: string) => plant.journalEntries.findLast((entry) => entry.kind === "done" && entry.step === step)?.detail;
      const report = recoveryReport(TO_NOW.context as never, { outcome: "done", warnings: [] }, told);
      expect(report.summary).toContain("less than at the backup (res_partner has 40 rows, and had 100)");
    }
  });

  it("on a new host is good as well: the database there is an empty one and knows nothing", async () => {
    using plant = await FakePlant.makeNew();
    plant.archived = few;
    const plan = planRestore(HEAD, { from: "local", release: RELEASE, colour: undefined, backup: RECORD, target: { kind: "latest" }, isBeside: true });
    expect((await plant.run(plan)).outcome).toBe("done");
    expect(notes(plant)).toEqual([expect.stringContaining("res_partner has 40 rows, and had 100")]);
  });
});

describe("a restore to the end of a log that has a hole", () => {
  const numbered = (...numbers: readonly number[]): string[] => numbers.map((number) => `00000001000000000000000${number}`);

  it("is none: PostgreSQL would open where the hole begins, and what was written since would be gone without a word", async () => {
    using plant = await FakePlant.make();
    plant.segments = () => numbered(1, 2, 4);
    expect(await plant.run(TO_NOW)).toMatchObject({ outcome: "undone", error: { code: "ARCHIVE_BROKEN", details: [expect.stringContaining("1 missing")] } });
    expect(plant.rows("recovery-postgres")).toBeUndefined();
  });

  it("is none in a drill either, which would prove a backup that loses all since", async () => {
    using plant = await FakePlant.make();
    plant.segments = () => numbered(1, 2, 4);
    const drill = planDrill(HEAD, { from: "local", release: RELEASE, backup: RECORD, target: { kind: "latest" } });
    expect(await plant.run(drill)).toMatchObject({ outcome: "undone", error: { code: "ARCHIVE_BROKEN" } });
  });

  it("is good when what was missing was only on its way, when the hole is before its backup, and when a moment is asked for", async () => {
    for (const prepare of [
      (plant: FakePlant) => {
        const looks = [numbered(1, 2, 4), numbered(1, 2, 3, 4)];
        plant.segments = () => looks.shift() ?? [];
      },
      (plant: FakePlant) => {
        plant.backups = [{ ...backupOf("newF", "full", RECORD.at), firstSegment: numbered(4)[0] ?? "", lastSegment: numbered(4)[0] ?? "" }];
        plant.segments = () => numbered(1, 2, 4, 5);
      },
    ]) {
      using plant = await FakePlant.make();
      prepare(plant);
      expect((await plant.run(TO_NOW)).outcome).toBe("done");
    }
    using plant = await FakePlant.make();
    plant.segments = () => numbered(1, 2, 4);
    expect((await plant.run(restoreTo({ kind: "time", at: "2026-11-23T03:00:00.000Z" }))).outcome).toBe("done");
  });
});

describe("a restore to the end of a log that has more than one line", () => {
  it("begins with the newest backup on its newest line, in a drill as well", async () => {
    for (const plan of [
      restoreTo({ kind: "latest" }, true),
      planDrill(HEAD, { from: "local", release: RELEASE, backup: RECORD, target: { kind: "latest" } }),
    ]) {
      using plant = await FakePlant.make();
      plant.backups = [
        { ...backupOf("onLineF", "full", RECORD.at), end: "0/5000000" },
        { ...backupOf("leftF", "full", "2026-11-23T15:30:00.000Z"), end: "0/9000000" },
      ];
      plant.history = { timeline: 2, text: "1\t0/7000028\tbefore 2026-11-23 14:00:00+00" };
      expect((await plant.run(plan)).outcome).toBe("done");
      const restored = plant.journalEntries.find(({ kind, step }) => kind === "done" && step === "restore-database");
      expect(restored?.detail["summary"]).toContain("from onLineF");
    }
  });
});

describe("a restore that the disk has no room for", () => {
  it("restores nothing: a database that cannot write its log any more stops the plant", async () => {
    using plant = await FakePlant.make();
    plant.freeBytes = 2e9;
    expect(await plant.run(TO_NOW)).toMatchObject({ outcome: "undone", error: { code: "NO_SPACE" } });
    expect(plant.asked.filter((asked) => asked.startsWith("run"))).toEqual([]);
  });
});

describe("a backup", () => {
  const backup = planBackup(HEAD, { type: "full", release: RELEASE, cause: "asked for", hasOffsite: false });
  const segment = (number: number): string => `0000000100000000000000${number.toString(16).padStart(2, "0").toUpperCase()}`;

  it("is written down as a whole: database, files, host and what was counted", async () => {
    using plant = await FakePlant.make();
    expect((await plant.run(backup)).outcome).toBe("done");
    expect(await readBackupRecords(plant.paths)).toMatchObject([{ id: RUN, database: { type: "full" }, counts: { res_partner: 100 }, modules: ["base"] }]);
    expect(await readdir(join(plant.paths.data, "recovery-host"))).toEqual([]);
  });

  it("that fails while the host's files are laid out leaves none of them behind", async () => {
    using plant = await FakePlant.make();
    plant.fail("save release", new MillwrightError("BACKUP_FAILED", "The release's image cannot be saved."));
    expect((await plant.run(backup)).outcome).toBe("undone");
    expect(await readdir(join(plant.paths.data, "recovery-host"))).toEqual([]);
  });

  it("takes the files after the database", async () => {
    using plant = await FakePlant.make();
    await plant.run(backup);
    expect(plant.asked.indexOf("backup full")).toBeLessThan(plant.asked.indexOf("take files"));
  });

  it("takes no segment for lost that only arrives after a later one", async () => {
    using plant = await FakePlant.make();
    const listings = [[1, 2, 4].map(segment), [1, 2, 3, 4, 6].map(segment)];
    plant.segments = () => listings.shift() ?? [];
    expect(await plant.run(backup)).toMatchObject({ outcome: "done" });
  });

  it("is none when a segment stays lost", async () => {
    using plant = await FakePlant.make();
    const listings = [[1, 2, 4].map(segment), [1, 2, 4, 5].map(segment)];
    plant.segments = () => listings.shift() ?? [];
    expect(await plant.run(backup)).toMatchObject({ outcome: "undone", error: { code: "ARCHIVE_BROKEN", details: [expect.stringContaining("1 missing")] } });
    expect(await readBackupRecords(plant.paths)).toEqual([]);
  });

  it("is one although a segment from before it is lost: it needs nothing of that, and its run says so", async () => {
    using plant = await FakePlant.make();
    plant.backups = [backupOf("oldF", "full", "2026-11-20T02:30:00.000Z")];
    plant.segments = () => [1, 3, 4].map(segment);
    plant.begins = { firstSegment: segment(3), lastSegment: segment(4) };
    expect(await plant.run(backup)).toMatchObject({ outcome: "done" });
    expect((await readBackupRecords(plant.paths)).length).toBe(1);
    const resultOf = (step: string) => plant.journalEntries.findLast((entry) => entry.kind === "done" && entry.step === step)?.detail;
    const context = recoveryRun(plant.deps, backup, RUN).plan;
    expect(recoveryReport(context, { outcome: "done", warnings: [] }, resultOf).summary).toContain(
      `a hole (1 missing between ${segment(1)} and ${segment(3)})`,
    );
  });

  it("verified, is good although the log before the newest has a hole, and bad when a backup's own log has it", async () => {
    const verify = planVerify(HEAD, { wholeFiles: false, quarter: 1, until: "2026-12-24T02:30:00.000Z", from: "local" });
    using plant = await FakePlant.make();
    const old = { ...backupOf("oldF", "full", "2026-11-20T02:30:00.000Z"), firstSegment: segment(1), lastSegment: segment(1) };
    const last = { ...backupOf("newF", "full", RECORD.at), firstSegment: segment(4), lastSegment: segment(4) };
    plant.backups = [old, last];
    plant.segments = () => [1, 3, 4, 5].map(segment);
    expect((await plant.run(verify)).outcome).toBe("done");
    plant.journalEntries.length = 0;
    plant.backups = [{ ...old, lastSegment: segment(3) }, last];
    expect(await plant.run(verify)).toMatchObject({ outcome: "undone", error: { code: "ARCHIVE_BROKEN" } });
  });

  it("drops old ones only when it is whole itself, and keeps files for as long as the oldest backup of the database", async () => {
    using plant = await FakePlant.make();
    plant.backups = [backupOf("oldF", "full", "2026-11-05T02:30:00.000Z")];
    plant.snapshots = [snapshot("long-gone", "01:00", "03"), snapshot("before-it", "01:00", "04"), snapshot("after-it", "01:00", "06")];
    await plant.run(backup);
    const [made, dropped] = ["take host", "forget long-gone"].map((call) => plant.asked.indexOf(call));
    expect(dropped).toBeGreaterThan(made ?? Number.NaN);
    expect(plant.asked).toContain("expire 2");
    using failing = await FakePlant.make();
    failing.fail("take host", new MillwrightError("BACKUP_FAILED", "The disk is full."));
    await failing.run(backup);
    expect(failing.asked.filter((asked) => /^(expire|forget)/.test(asked))).toEqual([]);
  });
});

describe("a verification", () => {
  const verify = async (plant: FakePlant, wholeFiles = false): Promise<Plan> =>
    (await prepareRecovery(plant.deps, { kind: "verify", wholeFiles, from: "local" })).plan;
  const read = (plant: FakePlant): readonly string[] => plant.asked.filter((asked) => asked.startsWith("verify files"));

  it("reads the next quarter of the files each time it was passed: all of it in four weeks", async () => {
    using plant = await FakePlant.make();
    await writeBackupRecord(plant.paths, RECORD);
    for (let week = 1; week <= 5; week += 1) {
      plant.journalEntries.length = 0;
      expect((await plant.run(await verify(plant))).outcome).toBe("done");
    }
    expect(read(plant)).toEqual(["1/4", "2/4", "3/4", "4/4", "1/4"].map((share) => `verify files ${share}`));
  });

  it("reads the same quarter again after one that failed", async () => {
    using plant = await FakePlant.make();
    await writeBackupRecord(plant.paths, RECORD);
    plant.problems = ["pack 1234 is damaged"];
    expect(await plant.run(await verify(plant))).toMatchObject({ outcome: "undone", error: { code: "BACKUP_DAMAGED" } });
    plant.problems = [];
    plant.journalEntries.length = 0;
    expect((await plant.run(await verify(plant))).outcome).toBe("done");
    expect(read(plant)).toEqual(["verify files 1/4", "verify files 1/4"]);
  });

  it("makes way for a backup that comes due meanwhile, and has proven nothing", async () => {
    using plant = await FakePlant.make();
    await writeBackupRecord(plant.paths, RECORD);
    plant.isSlow = true;
    const plan = await verify(plant, true);
    const outcome = await plant.run(plan);
    expect(outcome).toMatchObject({ outcome: "undone", error: { code: "BACKUP_DUE" } });
    expect(new Date(plant.clock.now()).toISOString()).toMatch(/^2026-11-24T02:3[01]/);
    expect(recoveryReport(plan.context as never, outcome, () => undefined).summary).toMatch(/^Not verified to the end: The backup of 02:30 UTC/);
    expect(await readVerifyRecord(plant.paths, "local")).toBeUndefined();
  });

  it("that a person begins when a backup has been due for long is not sent away", async () => {
    using plant = await FakePlant.make();
    await writeBackupRecord(plant.paths, RECORD);
    plant.clock.pass(3_600_000);
    expect((await plant.run(await verify(plant, true))).outcome).toBe("done");
  });

  it("of all reads every byte", async () => {
    using plant = await FakePlant.make();
    await writeBackupRecord(plant.paths, RECORD);
    expect((await plant.run(await verify(plant, true))).outcome).toBe("done");
    expect(read(plant)).toEqual(["verify files all"]);
    expect(await readVerifyRecord(plant.paths, "local")).toMatchObject({ run: RUN, quarter: 4 });
  });
});

describe("a drill", () => {
  const drill = planDrill(HEAD, { from: "local", release: RELEASE, backup: RECORD, target: { kind: "latest" } });

  it("takes the files that there are when the database is open: its log has gone on meanwhile", async () => {
    using plant = await FakePlant.make();
    plant.atPoint = (what) => {
      if (what === "after done open") plant.snapshots.push({ id: "meanwhile", at: "2026-11-24T02:00:20.000Z", tags: [] });
    };
    await plant.run(drill);
    expect(plant.asked).toContain("restore meanwhile");
  });

  it("that was cut off is removed, with what it had left running, instead of gone on with", async () => {
    using plant = await FakePlant.make();
    await cutAt(plant, drill, "restore after-backup");
    plant.asked.length = 0;
    expect((await plant.run(drill)).outcome).toBe("undone");
    expect(plant.asked).toEqual(["end restore"]);
    expect(await plant.whole()).toMatchObject({ rows: "present", scratch: [] });
  });

  it("that was cut off when all was seen still counts", async () => {
    using plant = await FakePlant.make();
    await cutAt(plant, drill, "before begun clear-up");
    expect((await plant.run(drill)).outcome).toBe("done");
    expect(await readDrillRecord(plant.paths, "local")).toMatchObject({ run: RUN, attachments: 1 });
  });
});

describe("a restore beside the plant", () => {
  it("is removed when it was cut off, and stays when it was whole", async () => {
    using plant = await FakePlant.make();
    const plan = restoreTo({ kind: "latest" }, true);
    await cutAt(plant, plan, "after begun check-files");
    expect((await plant.run(plan)).outcome).toBe("undone");
    expect(await plant.whole()).toMatchObject({ rows: "present", scratch: [] });
    plant.journalEntries.length = 0;
    expect((await plant.run(plan)).outcome).toBe("done");
    expect(plant.rows("recovery-postgres")).toMatchObject({ word: "restored" });
  });
});

/** The process dies there. */
async function cutAt(plant: FakePlant, plan: Plan, point: string): Promise<void> {
  const death = new AbortController();
  plant.atPoint = (what) => {
    if (what === point) death.abort(new Cut());
    death.signal.throwIfAborted();
  };
  await expect(plant.run(plan, { signal: death.signal })).rejects.toThrow(Cut);
  plant.atPoint = () => {};
}

function snapshot(id: string, time: string, day = "23"): Snapshot {
  return { id, at: `2026-11-${day}T${time}:00.000Z`, tags: [] };
}
