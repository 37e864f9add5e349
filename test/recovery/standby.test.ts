import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { readPair } from "../../src/recovery/following.ts";
import { pgbackrest } from "../../src/recovery/pgbackrest.ts";
import { planFence, planLift, planTakeover } from "../../src/recovery/plan-failover.ts";
import { describeLoss } from "../../src/recovery/prepare-failover.ts";
import { recoveryContextSchema } from "../../src/recovery/plan-recovery.ts";
import { prepareRecovery } from "../../src/recovery/prepare-recovery.ts";
import { isPromotionBegun, markPromotion } from "../../src/recovery/promotion.ts";
import { recoveryRun } from "../../src/recovery/recovery-context.ts";
import { recoveryReport } from "../../src/recovery/recovery-report.ts";
import { RECOVERY_STEPS } from "../../src/recovery/recovery-steps.ts";
import { isFenced, readFenced, readServed, removeFenced } from "../../src/recovery/fenced.ts";
import { seedStandby } from "../../src/recovery/seed-standby.ts";
import { readServing } from "../../src/swap/serving.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { FakeDocker } from "../fakes/fake-docker.ts";
import { backupOf, Cut, FakePlant, RECORD, STACK } from "./fake-plant.ts";

const SIGN = "2026-11-24T02:00:00.123456Z";
const HEAD = { id: "plan", stack: STACK, basis: "basis" };

describe("the copy that a standby is made of", () => {
  it("is the newest backup of the offsite repository, which it goes on asking by the configuration of its own container", () => {
    const words = pgbackrest(new FakeDocker(new FakeClock()), STACK, "offsite").standbyWords("20261124-023000F");
    expect(words).toContain("--set=20261124-023000F");
    expect(words).toContain('--recovery-option=restore_command=pgbackrest --stanza=main --config=/etc/pgbackrest/offsite.conf archive-get %f "%p"');
  });

  const makeWay = async (): Promise<void> => {};

  it("lies on the newest line of the log: a restore on the host may have left that of the newest backup", async () => {
    using plant = await FakePlant.make();
    plant.backups = [
      { ...backupOf("onLineF", "full", RECORD.at), end: "0/5000000" },
      { ...backupOf("leftF", "full", "2026-11-23T15:30:00.000Z"), end: "0/9000000" },
    ];
    plant.history = { timeline: 2, text: "1\t0/7000028\tbefore 2026-11-23 14:00:00+00" };
    const seeding = seedStandby({ ...plant.deps, materialiseRecovery: () => plant.deps.materialiseRecovery("") }, new AbortController().signal, makeWay);
    expect((await seeding).summary).toContain("from onLineF");
  });

  it("takes the place of the database only when it is whole, until when that goes on to follow", async () => {
    using plant = await FakePlant.make();
    const ended: (string | undefined)[] = [];
    const end = async (): Promise<void> => void ended.push(plant.rows("postgres")?.word);
    const seed = async () =>
      await seedStandby({ ...plant.deps, materialiseRecovery: () => plant.deps.materialiseRecovery("") }, new AbortController().signal, end);
    const onRun = plant.docker.onRun;
    plant.docker.onRun = (_service, words) => (words.includes("restore") ? 29 : 0);
    await expect(seed()).rejects.toThrow(expect.objectContaining({ code: "RESTORE_FAILED" }));
    expect(plant.rows("postgres")).toMatchObject({ word: "present" });
    expect(ended).toEqual([]);
    plant.docker.onRun = (_service, words, ...rest) => onRun("database", words, ...rest);
    await seed();
    expect(ended).toEqual(["present"]);
    expect(plant.rows("postgres")).toMatchObject({ word: "restored" });
    expect((await plant.whole())["scratch"]).toEqual([]);
  });

  it("leaves a database of the host's own aside, which may have what nobody else has, and no copy that followed", async () => {
    using plant = await FakePlant.make();
    plant.docker.onRun = (
      (onRun) =>
      (_service, words, ...rest) =>
        onRun("database", words, ...rest)
    )(plant.docker.onRun);
    const seed = async () =>
      await seedStandby({ ...plant.deps, materialiseRecovery: () => plant.deps.materialiseRecovery("") }, new AbortController().signal, makeWay);
    const kept = join(plant.paths.restorePoints, "before-standby/postgres/18/docker/rows.json");
    expect((await seed()).summary).toContain("before-standby");
    expect(await readFile(kept, "utf8")).toContain("present");
    await writeFile(join(plant.paths.cluster, "standby.signal"), "");
    expect(await seed()).toEqual({ summary: `from ${RECORD.database.label}` });
    expect(await readFile(kept, "utf8")).toContain("present");
  });

  it("is not begun on a disk that it might fill", async () => {
    using plant = await FakePlant.make();
    plant.freeBytes = 1e9;
    const seeding = seedStandby({ ...plant.deps, materialiseRecovery: () => plant.deps.materialiseRecovery("") }, new AbortController().signal, makeWay);
    await expect(seeding).rejects.toThrow(expect.objectContaining({ code: "NO_SPACE" }));
    expect(plant.rows("postgres")).toMatchObject({ word: "present" });
  });
});

describe("what a standby says of itself", () => {
  const DATABASE = { project: STACK, service: "database" };

  it("is nothing on a host that is alone, and nothing while the database does not answer", async () => {
    const docker = new FakeDocker(new FakeClock());
    expect(await readPair(docker, STACK, {})).toEqual({});
    expect(await readPair(docker, STACK, { follows: "192.0.2.1" })).toEqual({});
  });

  it("is whether it streams, the age of the last sign of life, and of when the files are", async () => {
    const docker = new FakeDocker(new FakeClock());
    docker.addContainer(DATABASE);
    docker.addContainer({ project: STACK, service: "backup" });
    docker.onExec = ({ words }) => {
      if (words[0] === "psql") return { code: 0, output: "t\t7\t16\n" };
      return { code: 0, output: words.includes("followed") ? "2026-11-24T01:59:30Z\n" : "" };
    };
    expect(await readPair(docker, STACK, { follows: "192.0.2.1" })).toEqual({
      following: { isStreaming: true, lagSeconds: 7, unreplayedBytes: 16, filesAt: "2026-11-24T01:59:30Z" },
    });
  });

  it("is what the host sees as well", async () => {
    const docker = new FakeDocker(new FakeClock());
    docker.addContainer(DATABASE);
    docker.onExec = () => ({ code: 0, output: "" });
    expect(await readPair(docker, STACK, { standby: "192.0.2.9" })).toEqual({ followed: { isStreaming: false } });
    docker.onExec = () => ({ code: 0, output: "4096\n" });
    expect(await readPair(docker, STACK, { standby: "192.0.2.9" })).toEqual({ followed: { isStreaming: true, lagBytes: 4096 } });
  });
});

/** A plant with a standby, and an offsite repository that answers. */
async function withOffsite(): Promise<FakePlant> {
  const plant = await FakePlant.make();
  plant.hasOffsite = true;
  Object.assign(plant.stack.facts, { standby: "192.0.2.9" });
  return plant;
}

describe("the fencing of a host", () => {
  it("leaves nothing that runs, nothing that its schedule would take for a plant, and a mark", async () => {
    using plant = await FakePlant.make();
    expect((await plant.run(planFence(HEAD, "blue"))).outcome).toBe("done");
    expect(await plant.whole()).toMatchObject({ running: [], routed: "nobody" });
    expect(await readServing(plant.paths)).toBeUndefined();
    expect(await isFenced(plant.paths)).toBe(true);
  });

  it("of a host that may be dead goes on when the newest log and files cannot be taken away: what it is for must not wait for a bucket", async () => {
    using plant = await FakePlant.make();
    const { outcome, warnings } = await plant.run(planFence(HEAD, "blue"));
    expect([outcome, warnings]).toEqual([
      "done",
      [
        expect.stringContaining("See the database's log arrive in the offsite repository"),
        expect.stringContaining("Take the newest files to the offsite repository"),
      ],
    ]);
  });

  it("of a host that is well takes the files away before users are led away, so that only the rest is left for when they wait", async () => {
    using plant = await withOffsite();
    const { plan } = await prepareRecovery(plant.deps, { kind: "fence", lift: false });
    expect(plan.steps.map(({ id }) => id)).toEqual([
      "hand-files:first",
      "away",
      "stop-odoo",
      "last-sign",
      "hand-log",
      "hand-files",
      "stop-database",
      "mark-fenced",
    ]);
    expect((await plant.run(plan)).outcome).toBe("done");
  });

  it("of a host that is well is taken back when its files cannot be handed over: nothing needs to be lost there", async () => {
    using plant = await withOffsite();
    const before = await plant.whole();
    const { plan } = await prepareRecovery(plant.deps, { kind: "fence", lift: false });
    plant.fail("take files", new MillwrightError("BACKUP_FAILED", "unable to connect"));
    expect(await plant.run(plan)).toMatchObject({ outcome: "undone", error: { code: "BACKUP_FAILED" } });
    expect(plant.journalEntries.map(({ step }) => step)).not.toContain("away");

    plant.journalEntries.length = 0;
    plant.failing.clear();
    plant.atPoint = (what) => {
      if (what.includes("UPDATE millwright")) plant.fail("take files", new MillwrightError("BACKUP_FAILED", "it broke"));
    };
    expect(await plant.run(plan)).toMatchObject({ outcome: "undone", error: { message: "it broke" } });
    expect(await plant.whole()).toEqual(before);
    expect(await isFenced(plant.paths)).toBe(false);
  });

  it("of a host that another has taken over from goes on without its files, however well it is: two plants serve until it ends", async () => {
    using plant = await withOffsite();
    plant.fail("take files", new MillwrightError("BACKUP_FAILED", "unable to connect"));
    const { plan } = await prepareRecovery(plant.deps, { kind: "fence", lift: false, mustEnd: true });
    expect(await plant.run(plan)).toMatchObject({ outcome: "done", warnings: [expect.stringContaining("unable to connect")] });
  });

  it("of a host whose database is dead goes on without its files: it must end, whatever can be had of it", async () => {
    using plant = await withOffsite();
    plant.docker.behave("database", { health: "unhealthy" });
    plant.fail("take files", new MillwrightError("BACKUP_FAILED", "unable to connect"));
    const { plan } = await prepareRecovery(plant.deps, { kind: "fence", lift: false });
    expect(await plant.run(plan)).toMatchObject({ outcome: "done", warnings: [expect.stringContaining("unable to connect")] });
  });

  it("of a host that does not serve any more can be done again", async () => {
    using plant = await FakePlant.make();
    await plant.run(planFence(HEAD, "blue"));
    plant.journalEntries.length = 0;
    expect((await plant.run(planFence(HEAD, undefined))).outcome).toBe("done");
  });

  it("that is done again tells the sign of life that the first one left: the standby must have that, however often it is asked", async () => {
    using plant = await withOffsite();
    plant.sign = SIGN;
    const fence = async (): Promise<unknown> => {
      plant.journalEntries.length = 0;
      const { plan } = await prepareRecovery(plant.deps, { kind: "fence", lift: false });
      expect(await plant.run(plan)).toMatchObject({ outcome: "done", warnings: [] });
      return plant.journalEntries.find(({ kind, step }) => kind === "done" && step === "last-sign")?.detail["sign"];
    };
    expect([await fence(), await fence(), await fence()]).toEqual([SIGN, SIGN, SIGN]);
  });

  it("keeps that sign when a fence could not be lifted", async () => {
    using plant = await FakePlant.make();
    plant.sign = SIGN;
    await plant.run(planFence(HEAD, "blue"));
    plant.journalEntries.length = 0;
    const stack = { ...plant.stack, facts: { ...plant.stack.facts, standby: "192.0.2.9" } };
    const { plan } = await prepareRecovery({ ...plant.deps, stack }, { kind: "fence", lift: true });
    plant.docker.behave("database", { health: "unhealthy" });
    expect((await plant.run(plan)).outcome).toBe("undone");
    expect(await readFenced(plant.paths)).toMatchObject({ sign: SIGN });
  });

  it("is read as well where an older agent has left its mark", async () => {
    using plant = await FakePlant.make();
    await writeFile(join(plant.paths.state, "fenced.json"), JSON.stringify({ version: 1, at: "2026-11-24T02:00:00.000Z", who: "jo", run: "r" }));
    expect(await readFenced(plant.paths)).toMatchObject({ who: "jo" });
  });

  it("leaves a host on which nothing is restored: another may serve the plant", async () => {
    using plant = await withOffsite();
    await plant.run(planFence(HEAD, "blue"));
    for (const isBeside of [false, true]) {
      const restoring = prepareRecovery(plant.deps, { kind: "restore", from: "local", to: { kind: "now" }, isBeside });
      await expect(restoring).rejects.toThrow(
        expect.objectContaining({ code: "STANDBY_ROLE", hint: expect.stringContaining("`millwright host fence --lift`") }),
      );
    }
  });

  it("is over once the host follows another, and nothing of what served then is left", async () => {
    using plant = await FakePlant.make();
    await plant.run(planFence(HEAD, "blue"));
    await removeFenced(plant.paths);
    expect([await isFenced(plant.paths), await readServed(plant.paths), await readServing(plant.paths)]).toEqual([false, undefined, undefined]);
  });

  it("can be taken back where no other host took over: everything is as it was", async () => {
    using plant = await FakePlant.make();
    const before = await plant.whole();
    await plant.run(planFence(HEAD, "blue"));
    plant.journalEntries.length = 0;
    const stack = { ...plant.stack, facts: { ...plant.stack.facts, standby: "192.0.2.9" } };
    const { plan } = await prepareRecovery({ ...plant.deps, stack }, { kind: "fence", lift: true });
    expect((await plant.run(plan)).outcome).toBe("done");
    expect(await plant.whole()).toEqual(before);
    expect(await isFenced(plant.paths)).toBe(false);
    await expect(prepareRecovery({ ...plant.deps, stack }, { kind: "fence", lift: true })).rejects.toThrow(expect.objectContaining({ code: "STANDBY_ROLE" }));
  });

  it("is over only when Odoo answers again: users who are led to it before would meet errors", async () => {
    using plant = await FakePlant.make();
    let asked = 0;
    const pageProblem = async (): Promise<string | undefined> => ((asked += 1) < 40 ? "no available server" : undefined);
    const lift = planLift(HEAD, "blue");
    const run = recoveryRun({ ...plant.deps, pageProblem }, lift, "run");
    const step = lift.steps.find(({ kind }) => kind === "start-odoo") ?? expect.fail("it starts Odoo");
    await RECOVERY_STEPS["start-odoo"]?.do(run, step, { signal: new AbortController().signal, resultOf: () => undefined });
    expect(asked).toBe(40);
  });

  it("is refused where nobody follows", async () => {
    using plant = await FakePlant.make();
    await expect(prepareRecovery(plant.deps, { kind: "fence", lift: false })).rejects.toThrow(expect.objectContaining({ code: "STANDBY_UNKNOWN" }));
  });
});

describe("a takeover", () => {
  const takeover = planTakeover(HEAD, { backup: RECORD });

  it("replays, fetches and promotes, and does without files that cannot be had", async () => {
    using plant = await FakePlant.make();
    const { outcome, warnings } = await plant.run(takeover);
    expect([outcome, warnings]).toEqual(["done", []]);
    using other = await FakePlant.make();
    other.docker.onExec = () => ({ code: 1, output: "unable to connect" });
    expect(await other.run(takeover)).toMatchObject({ outcome: "done", warnings: [expect.stringContaining("The newest files could not be fetched.")] });
  });

  it("after a host that left a sign of life promotes nothing without the files that it handed over", async () => {
    using plant = await FakePlant.make();
    plant.docker.onExec = () => ({ code: 1, output: "unable to connect" });
    const outcome = await plant.run(planTakeover(HEAD, { backup: RECORD, sign: SIGN }));
    expect(outcome).toMatchObject({ outcome: "undone", error: { message: "The newest files could not be fetched." } });
    expect(plant.journalEntries.map(({ step }) => step)).not.toContain("promote");
  });

  it("goes on when it was cut off, also between the promotion and the word of it", async () => {
    using plant = await FakePlant.make();
    const controller = new AbortController();
    plant.atPoint = (what) => {
      if (!what.includes("CHECKPOINT")) return;
      controller.abort(new Cut());
      throw new Cut();
    };
    await expect(plant.run(takeover, { signal: controller.signal })).rejects.toThrow(Cut);
    plant.atPoint = () => {};
    expect((await plant.run(takeover)).outcome).toBe("done");
  });

  it("is refused on a host that follows no other, as all else is on one that does", async () => {
    using plant = await FakePlant.make();
    const refused = expect.objectContaining({ code: "STANDBY_ROLE" });
    await expect(prepareRecovery(plant.deps, { kind: "takeover" })).rejects.toThrow(refused);
    const stack = { ...plant.stack, facts: { ...plant.stack.facts, follows: "192.0.2.1" } };
    for (const request of [
      { kind: "backup", full: false, bySchedule: true },
      { kind: "fence", lift: false },
      { kind: "drill", from: "local" },
    ] as const) {
      await expect(prepareRecovery({ ...plant.deps, stack }, request)).rejects.toThrow(refused);
    }
  });

  it("is for the release of the newest backup that the offsite repository tells of, whoever made that", async () => {
    using plant = await FakePlant.make();
    const stack = { ...plant.stack, facts: { ...plant.stack.facts, follows: "192.0.2.1" } };
    const told = { ...RECORD, release: { id: "r7", image: `sha256:${"7".repeat(64)}` } };
    const held = { ...told, offsite: { place: "nas", at: RECORD.at, ended: RECORD.ended, database: RECORD.database, files: RECORD.files } };
    const files = {
      ...plant.deps.files,
      snapshots: async () => [
        { id: "older", at: "2026-11-22T02:33:00.000Z", tags: [] },
        { id: "newest", at: "2026-11-23T02:33:00.000Z", tags: [] },
      ],
      read: async (snapshot: string) => (snapshot === "newest" ? JSON.stringify(held) : expect.fail("only the newest counts")),
    };
    const deps = { ...plant.deps, stack, offsite: { archive: plant.deps.archive, files } };
    const { plan, notes } = await prepareRecovery(deps, { kind: "takeover" });
    expect(plan.context).toMatchObject({ kind: "takeover", from: "offsite", backup: { release: told.release, host: { snapshot: "newest" } } });
    expect(notes).toEqual([expect.stringContaining("cannot be told")]);
  });

  it("does without an offsite repository that does not answer, and says so", async () => {
    using plant = await FakePlant.make();
    const stack = { ...plant.stack, facts: { ...plant.stack.facts, follows: "192.0.2.1" } };
    const away = async (): Promise<never> => await Promise.reject(new MillwrightError("BACKUP_FAILED", "unable to connect"));
    const offsite = { archive: plant.deps.archive, files: { ...plant.deps.files, snapshots: away } };
    const { plan, notes } = await prepareRecovery({ ...plant.deps, stack, offsite }, { kind: "takeover" });
    expect(plan.steps.map(({ kind }) => kind)).toEqual(["catch-up", "newest-files", "promote", "opened", "checkpoint"]);
    expect(notes).toContainEqual(expect.stringContaining("unable to connect"));
  });

  it("says before what would be lost", () => {
    expect(describeLoss(undefined)).toEqual([expect.stringContaining("cannot be told")]);
    expect(describeLoss({ isStreaming: false, lagSeconds: 90, unreplayedBytes: 0 })).toEqual([
      expect.stringContaining("the last sign of life that came over is 90 s old"),
      expect.stringContaining("they are not all here"),
    ]);
  });

  describe("waiting for what the fenced host wrote last", () => {
    const withSign = planTakeover(HEAD, { backup: RECORD, sign: SIGN });
    /** A standby that says one state after the other, then the last one for ever. */
    async function standby(...states: readonly (readonly [unread: string, hasSign: string, replayed?: string])[]) {
      const plant = await FakePlant.make();
      const asked: string[] = [];
      let next = 0;
      const psql = {
        query: async (_database: string, sql: string) => {
          asked.push(sql);
          if (!sql.includes("pg_last_wal_receive_lsn")) return [];
          const [unread, hasSign, replayed = "0/4000"] = states[Math.min(next++, states.length - 1)] ?? ["0", "t"];
          return [["t", "0/5000", unread, hasSign, replayed]];
        },
      };
      const run = recoveryRun({ ...plant.deps, psql }, withSign, "run");
      const step = withSign.steps[0] ?? expect.fail("a takeover has steps");
      const view = { signal: new AbortController().signal, resultOf: () => undefined };
      return { plant, asked, catchUp: async () => await RECOVERY_STEPS["catch-up"]?.do(run, step, view) };
    }

    it("goes on once that is there, however long it takes while something comes", async () => {
      const coming = Array.from({ length: 500 }, (_none, index): readonly [string, string, string] => [String(1000 - index), "f", `0/${1000 + index}`]);
      const { plant, asked, catchUp } = await standby(...coming, ["0", "f"], ["0", "t"]);
      using _host = plant;
      expect(await catchUp()).toEqual({ received: "0/5000", summary: "all up to 0/5000" });
      expect(asked[0]).toContain(`(SELECT at >= '${SIGN}' FROM millwright.heartbeat)`);
    });

    it("goes on while it replays what it reads from the archive, of which nobody says how much is left", async () => {
      const coming = Array.from({ length: 500 }, (_none, index): readonly [string, string, string] => ["0", "f", `0/${1000 + index}`]);
      const { plant, catchUp } = await standby(...coming, ["0", "t"]);
      using _host = plant;
      expect(await catchUp()).toMatchObject({ received: "0/5000" });
    });

    it("gives up when nothing comes any more: a standby that has stopped to follow must not take over from a host that has everything", async () => {
      const { plant, catchUp } = await standby(["0", "f"]);
      using _host = plant;
      await expect(catchUp()).rejects.toThrow(expect.objectContaining({ code: "STANDBY_BEHIND", message: expect.stringContaining(SIGN) }));
      const stuck = await standby(["4096", "f"]);
      using _other = stuck.plant;
      await expect(stuck.catchUp()).rejects.toThrow(expect.objectContaining({ message: expect.stringContaining("still to be replayed") }));
    });
  });

  describe("promoting the database", () => {
    /** How a takeover ends on a database of which a query fails, or that stays in recovery for that many looks at it. */
    async function ended({ looks = 0, failing = "nothing" }: { readonly looks?: number; readonly failing?: string }) {
      using plant = await FakePlant.make();
      const asked: string[] = [];
      let left = looks + 1;
      const query = async (_database: string, sql: string): Promise<readonly (readonly string[])[]> => {
        asked.push(sql);
        if (sql.includes(failing)) throw new MillwrightError("TIMED_OUT", "The program took too long.");
        if (sql.includes("pg_last_wal_receive_lsn")) return [["t", "", "0", "t"]];
        return sql.includes("pg_is_in_recovery") ? [[(left -= 1) >= 0 ? "t" : "f"]] : [["t"]];
      };
      const outcome = await plant.run(takeover, {}, { psql: { query } });
      const resultOf = (step: string) => plant.journalEntries.find((entry) => entry.kind === "done" && entry.step === step)?.detail;
      return { asked, outcome, report: recoveryReport(recoveryContextSchema.parse(takeover.context), outcome, resultOf) };
    }

    it("begins it by a query that ends at once, and then looks until it takes writes, for longer than a query may take", async () => {
      const { asked, outcome } = await ended({ looks: 1000 });
      expect(outcome).toMatchObject({ outcome: "done", warnings: [] });
      expect(asked.filter((sql) => sql.includes("pg_promote"))).toEqual(["SELECT pg_promote(false);"]);
    });

    it("is no takeover that did not happen when it was begun and its end is not seen: the old host must stay down", async () => {
      for (const how of [{ looks: Number.POSITIVE_INFINITY }, { failing: "pg_promote" }]) {
        const { outcome, report } = await ended(how);
        expect(outcome).toMatchObject({ outcome: "undone", error: { code: "PROMOTION_OPEN" } });
        expect(report).toEqual({ summary: expect.stringContaining("only the way forward"), result: { isPromoted: true } });
      }
    });

    it("that was begun by an earlier takeover leaves only the way forward: no file is worth to end it, and no failure means that the old host may serve", async () => {
      using plant = await FakePlant.make();
      const stack = { ...plant.stack, facts: { ...plant.stack.facts, follows: "192.0.2.1" } };
      const plan = async () => (await prepareRecovery({ ...plant.deps, stack }, { kind: "takeover", sign: SIGN })).plan;
      await writeFile(join(plant.paths.cluster, "standby.signal"), "");
      expect((await plan()).context).toMatchObject({ isBegun: false });
      const isLost = { query: async (_database: string, sql: string) => (sql.includes("pg_promote") ? expect.fail("lost") : [["t", "", "0", "t"]]) };
      expect(await plant.run(await plan(), {}, { psql: isLost })).toMatchObject({ outcome: "undone", error: { code: "PROMOTION_OPEN" } });

      plant.journalEntries.length = 0;
      const again = await plan();
      expect(again.context).toMatchObject({ isBegun: true });
      plant.docker.onExec = () => ({ code: 1, output: "unable to connect" });
      const isStuck = { query: async () => [["t", "", "4096", "f"]] };
      const outcome = await plant.run(again, {}, { psql: isStuck });
      expect(outcome).toMatchObject({ outcome: "undone", error: { code: "STANDBY_BEHIND" } });
      expect(recoveryReport(recoveryContextSchema.parse(again.context), outcome, () => undefined)).toMatchObject({ result: { isPromoted: true } });

      plant.journalEntries.length = 0;
      await rm(join(plant.paths.cluster, "standby.signal"));
      expect(await plant.run(await plan())).toMatchObject({ outcome: "done", warnings: [expect.stringContaining("The newest files could not be fetched.")] });
    });

    it("is forgotten when the database is made anew, as one that follows", async () => {
      using plant = await FakePlant.make();
      await markPromotion(plant.paths);
      const onRun = plant.docker.onRun;
      plant.docker.onRun = (_service, words, ...rest) => onRun("database", words, ...rest);
      const { materialiseRecovery } = plant.deps;
      await seedStandby({ ...plant.deps, materialiseRecovery: () => materialiseRecovery("") }, new AbortController().signal, async () => {});
      await writeFile(join(plant.paths.cluster, "standby.signal"), "");
      expect(await isPromotionBegun(plant.paths)).toBe(false);
    });

    it("has taken place also when the checkpoint after it fails", async () => {
      const { outcome } = await ended({ failing: "CHECKPOINT" });
      expect(outcome).toMatchObject({ outcome: "done", warnings: [expect.stringContaining("Write a checkpoint")] });
    });

    it("that was not begun leaves the way back", async () => {
      const { report } = await ended({ failing: "pg_is_in_recovery();" });
      expect(report).toEqual({ summary: expect.stringContaining("Not taken over") });
    });
  });
});
