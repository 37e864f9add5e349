import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type HostPaths, hostPaths } from "../../src/blueprint/host-paths.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { findConcerns } from "../../src/observe/concerns.ts";
import { readLogs } from "../../src/observe/read-logs.ts";
import { readStatus, type StatusDeps } from "../../src/observe/status.ts";
import type { Archiving } from "../../src/recovery/archiving.ts";
import { type BackupRecord, writeBackupRecord } from "../../src/recovery/backup-record.ts";
import { type DrillRecord, writeDrillRecord } from "../../src/recovery/drill-record.ts";
import { keepSite } from "../../src/recovery/kept-site.ts";
import { writeVerifyRecord } from "../../src/recovery/verify-record.ts";
import { statusSchema } from "../../src/observe/status-schema.ts";
import { readServing, writeServing } from "../../src/swap/serving.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { FakeDocker } from "../fakes/fake-docker.ts";
import { release } from "../release/fixtures.ts";

const STACK = "acme-production";
const POLICY = { at: "02:30", full: 0, drill: 0, keepDays: 14 };
const RECORD: BackupRecord = {
  version: 1,
  id: "20261124-005900-aaaa",
  stack: STACK,
  at: "2026-11-24T00:59:00.000Z",
  ended: "2026-11-24T01:00:00.000Z",
  site: { hash: "ab", hasRecoveryKey: true },
  who: "schedule",
  release: { id: "2026-11-24-1", image: "sha256:ff" },
  database: { label: "20261124-005901F", type: "full", size: 100e6, added: 10e6 },
  files: { snapshot: "s1", files: 10, bytes: 1e6, added: 1e6 },
  counts: {},
  modules: [],
};
const DRILL: DrillRecord = {
  version: 1,
  run: "20261124-010500-bbbb",
  at: "2026-11-24T01:06:00.000Z",
  backup: RECORD.id,
  rpoSeconds: 41,
  rtoSeconds: 62,
  attachments: 10,
  attachmentBytes: 1e6,
  tooYoung: 0,
  databaseBytes: 100e6,
};
const ARCHIVE = "-----BEGIN AGE ENCRYPTED FILE-----\nYQ==\n-----END AGE ENCRYPTED FILE-----\n";
const IMAGE = `sha256:${"f".repeat(64)}`;

async function host(): Promise<{ readonly paths: HostPaths; readonly docker: FakeDocker; readonly deps: StatusDeps; readonly clock: FakeClock }> {
  const paths = hostPaths(STACK, await mkdtemp(join(tmpdir(), "status-")));
  await mkdir(paths.state, { recursive: true });
  const clock = new FakeClock();
  const docker = new FakeDocker(clock);
  const deps: StatusDeps = {
    stack: STACK,
    paths,
    docker,
    clock,
    machine: {
      facts: async (path) => ({
        name: "erp1",
        cpus: 4,
        memoryBytes: 16e9,
        memoryFreeBytes: 8e9,
        load: 0.5,
        uptimeSeconds: 10,
        disk: { path, totalBytes: 100e9, freeBytes: 60e9 },
      }),
    },
    current: async () => ({
      id: "0123456789abcdef",
      facts: async () => ({
        domain: "erp.acme.example",
        blueprint: { name: "odoo", version: "0.1.0" },
        services: ["edge", "database", "backup"],
        backup: POLICY,
      }),
    }),
    drift: async () => [],
    run: async () => undefined,
    journal: async () => ({ runs: [], entries: 0, head: "" }),
    timers: async () => [],
    archiving: async () => ({}),
    pair: async () => ({}),
  };
  return { paths, docker, deps, clock };
}

async function serve(paths: HostPaths, docker: FakeDocker): Promise<void> {
  for (const service of ["edge", "database", "backup"]) docker.addContainer({ project: STACK, service });
  for (const service of ["web", "cron"]) docker.addContainer({ project: `${STACK}-blue`, service, image: IMAGE });
  docker.addContainer({ project: `${STACK}-green`, service: "web" });
  await writeFile(
    join(paths.state, "serving.json"),
    JSON.stringify({ version: 1, colour: "blue", release: "2026-11-24-1", image: IMAGE, since: "2026-11-23T02:00:00.000Z", who: "maria", run: "r1" }),
  );
  await writeBackupRecord(paths, { ...RECORD, ended: "2026-11-24T01:00:00.000Z" });
  await writeDrillRecord(paths, DRILL);
}

describe("status", () => {
  it("says what serves, since when and by whom, and has no concern when all is well", async () => {
    const { paths, docker, deps } = await host();
    await serve(paths, docker);
    const status = statusSchema.parse(await readStatus(deps));
    expect(status.serving).toMatchObject({ colour: "blue", release: "2026-11-24-1", who: "maria", since: "2026-11-23T02:00:00.000Z" });
    expect(status.services.map((service) => `${service.service} ${service.health}`)).toEqual(["edge healthy", "database healthy", "backup healthy"]);
    expect(status.colours.map((colour) => `${colour.colour} ${colour.serves} ${colour.services.length}`)).toEqual(["blue true 2", "green false 1"]);
    expect(status.backup).toMatchObject({ last: "2026-11-24T01:00:00.000Z", drillDays: 7, drill: { at: DRILL.at, rpoSeconds: 41, rtoSeconds: 62 } });
    expect(status.concerns).toEqual([]);
  });

  it("says what serves also while the engine is down, and once that nothing is known of the containers", async () => {
    const { paths, docker, deps } = await host();
    await serve(paths, docker);
    const down = async (): Promise<never> => {
      throw new MillwrightError("DOCKER_DOWN", "The Docker engine does not answer.", { hint: "Look at `systemctl status docker` on the host." });
    };
    const away = Object.assign(docker, { version: down, containers: down });
    const status = statusSchema.parse(await readStatus({ ...deps, docker: away, drift: down, archiving: down }));
    expect(status.serving).toMatchObject({ colour: "blue", release: "2026-11-24-1" });
    expect(status.host.engine).toBeUndefined();
    expect(status.concerns).toEqual([
      "How the containers are cannot be told: The Docker engine does not answer. Look at `systemctl status docker` on the host.",
    ]);
  });

  it("says what serves also where somebody has edited the stored stack, which cannot be trusted then", async () => {
    const { paths, docker, deps } = await host();
    await serve(paths, docker);
    const edited = async (): Promise<never> => {
      throw new MillwrightError("STACK_INVALID", "The files of stack 01 on the host were changed by hand.", { hint: "Run `millwright deploy` again." });
    };
    const status = statusSchema.parse(await readStatus({ ...deps, current: async () => ({ id: "01", facts: edited }), drift: edited }));
    expect(status.serving).toMatchObject({ colour: "blue", release: "2026-11-24-1" });
    expect(status.stack).toMatchObject({ id: "01" });
    expect(status.services.map(({ service }) => service)).toEqual(["backup", "database", "edge"]);
    expect(status.concerns).toEqual([
      "What the stack holds cannot be told: The files of stack 01 on the host were changed by hand. Run `millwright deploy` again.",
    ]);
  });

  it("offers no way back to the colour that serves, which a record written by hand may name", async () => {
    const { paths, docker, deps } = await host();
    await serve(paths, docker);
    const rollbackTo = async (colour: "blue" | "green"): Promise<string | undefined> => {
      const serving = await readServing(paths);
      if (serving === undefined) throw new Error("nothing serves");
      await writeServing(paths, { ...serving, previous: { colour, release: release({ id: "2026-11-20-1" }) } });
      return (await readStatus(deps)).serving?.rollbackTo;
    };
    expect([await rollbackTo("green"), await rollbackTo("blue")]).toEqual(["2026-11-20-1", undefined]);
  });

  it("is given for a host that knows nothing yet", async () => {
    const { deps } = await host();
    const status = statusSchema.parse(await readStatus({ ...deps, current: async () => undefined }));
    expect(status).toMatchObject({ services: [], concerns: ["Nothing is deployed yet: run `millwright deploy`."] });
    expect(status.serving).toBeUndefined();
  });

  it("takes no backup of a clock that was ahead for the last one", async () => {
    const { paths, docker, deps, clock } = await host();
    await serve(paths, docker);
    await writeBackupRecord(paths, { ...RECORD, id: "20270501-005900-cccc", at: "2027-05-01T00:59:00.000Z", ended: "2027-05-01T01:00:00.000Z" });
    clock.pass(30 * 3_600_000);
    expect((await readStatus(deps)).concerns).toContain("The last good backup is 31 hours old.");
  });

  it("asks for the site folder in the backups, then for a recovery key, then for the backup that it opens", async () => {
    const { paths, docker, deps } = await host();
    await serve(paths, docker);
    const { site: _, ...bare } = RECORD;
    await writeBackupRecord(paths, bare);
    expect((await readStatus(deps)).concerns).toEqual([
      "The last backup does not hold the site folder: run `millwright deploy`, then `millwright backup run`.",
    ]);

    const keep = (hasRecoveryKey: boolean) => keepSite(paths, { version: 1, at: "", who: "maria", hash: "a".repeat(64), hasRecoveryKey, archive: ARCHIVE });
    await keep(false);
    const noKey = ["No recovery key opens the backups: run `millwright secrets recovery-key`, then `millwright deploy` and `millwright backup run`."];
    expect((await readStatus(deps)).concerns).toEqual(noKey);
    await writeBackupRecord(paths, { ...RECORD, site: { hash: "ab", hasRecoveryKey: false } });
    expect((await readStatus(deps)).concerns).toEqual(noKey);

    await keep(true);
    expect((await readStatus(deps)).concerns).toEqual(["The recovery key does not open the last backup yet: run `millwright backup run`."]);
    await writeBackupRecord(paths, RECORD);
    expect((await readStatus(deps)).concerns).toEqual([]);
  });

  it("misses a drill that has not been passed for twice its interval, unless the site wants none", async () => {
    const { paths, docker, deps, clock } = await host();
    await serve(paths, docker);
    const concern = "The last drill that was passed is 15 days ago: `millwright history` says why, `millwright backup drill` makes one now.";
    clock.pass(13 * 86_400_000);
    expect((await readStatus(deps)).concerns.join()).not.toContain("drill");
    clock.pass(2 * 86_400_000);
    expect((await readStatus(deps)).concerns).toContain(concern);
    const current = await deps.current();
    const withoutDrills = current && { ...current, facts: async () => ({ ...(await current.facts()), backup: { ...POLICY, drill: undefined } }) };
    expect((await readStatus({ ...deps, current: async () => withoutDrills })).concerns.join()).not.toContain("drill");
  });

  it("takes no drill of a clock that was ahead for the last one", async () => {
    const { paths, docker, deps } = await host();
    await serve(paths, docker);
    await writeDrillRecord(paths, { ...DRILL, at: "2027-05-01T01:06:00.000Z" });
    expect((await readStatus(deps)).concerns).toContain("No backup was proven yet: run `millwright backup drill`.");
  });

  it("names a sick and a missing service, an old backup, a full disk, drift and a run that waits", async () => {
    const { paths, docker, deps, clock } = await host();
    await serve(paths, docker);
    docker.behave("web", { health: "unhealthy" });
    docker.crash(STACK, "database");
    clock.pass(30 * 3_600_000);
    const { concerns } = await readStatus({
      ...deps,
      current: async () => ({
        id: "0123456789abcdef",
        facts: async () => ({ domain: "d", blueprint: { name: "odoo", version: "0.1.0" }, services: ["edge", "database", "cache", "backup"], backup: POLICY }),
      }),
      machine: { facts: async (path) => ({ ...(await deps.machine.facts(path)), disk: { path, totalBytes: 100e9, freeBytes: 4e9 } }) },
      drift: async () => [{ subject: "edge", text: "edge was changed" }],
      journal: async () => ({ runs: [{ run: "r2", kind: "deploy", purpose: "", who: "maria", began: "", outcome: "failed" }], entries: 9, head: "ab" }),
    });
    expect(concerns).toEqual([
      "blue web is unhealthy: run `millwright logs web`.",
      "database does not run (exited).",
      "cache has no container.",
      "The deploy r2 could not be undone and waits for a person: run `millwright resume`.",
      "The disk is 96 % full.",
      "The last good backup is 31 hours old.",
      "1 thing was changed by hand: `millwright plan` shows and `millwright deploy` mends it.",
    ]);
  });
});

describe("what a status says of the times around now", () => {
  const ended = (kind: string, outcome: string, began: string) => ({ run: `${kind}-${began}`, kind, purpose: "", who: "maria", began, ended: began, outcome });

  it("is who deployed the stack, and how the last swap or rollback ended", async () => {
    const { deps } = await host();
    const runs = [ended("deploy", "undone", "4"), ended("rollback", "done", "3"), ended("swap", "done", "2"), ended("deploy", "done", "1")];
    const status = statusSchema.parse(await readStatus({ ...deps, journal: async () => ({ runs, entries: 90, head: "ab" }) }));
    expect(status.stack.deployed).toEqual({ at: "1", who: "maria", run: "deploy-1" });
    expect(status.lastSwap).toMatchObject({ kind: "rollback", outcome: "done" });
    expect(status.journal).toEqual({ entries: 90, head: "ab" });
  });

  it("is when the backups were last verified, and a verification since that did not end well", async () => {
    const { paths, docker, deps } = await host();
    await serve(paths, docker);
    await writeVerifyRecord(paths, { version: 1, run: "verify-1", at: "2026-11-24T01:10:00.000Z", place: "local", quarter: 2 });
    expect((await readStatus(deps)).backup.verified).toBe("2026-11-24T01:10:00.000Z");
    const after = (outcome: string, began: string) => async () => ({ runs: [ended("verify", outcome, began)], entries: 9, head: "ab" });
    const concern = "The verification of 2026-11-24T01:20:00.000Z did not end well: `millwright history` says why.";
    expect((await readStatus({ ...deps, journal: after("undone", "2026-11-24T01:20:00.000Z") })).concerns).toEqual([concern]);
    expect((await readStatus({ ...deps, journal: after("undone", "2026-11-24T01:05:00.000Z") })).concerns).toEqual([]);
  });

  it("is what comes by itself, the soonest first: the daily backup, and the host's timers", async () => {
    const { paths, docker, deps } = await host();
    await serve(paths, docker);
    const current = await deps.current();
    const status = await readStatus({
      ...deps,
      current: async () =>
        current && { ...current, facts: async () => ({ ...(await current.facts()), backup: { at: "01:30", full: 0, drill: 3, keepDays: 14 } }) },
      timers: async () => [{ at: "2026-11-24T06:12:00.000Z", what: "security updates of the host" }],
    });
    expect(status.next).toEqual([
      { at: "2026-11-24T06:12:00.000Z", what: "security updates of the host" },
      { at: "2026-11-25T01:30:00.000Z", what: "backup" },
      { at: "2026-11-25T01:30:00.000Z", what: "drill of the backup" },
      { at: "2026-11-29T01:30:00.000Z", what: "verification of the backups" },
    ]);
  });

  it("is given of a journal that does not hold together too, as something for a person", async () => {
    const { paths, docker, deps } = await host();
    await serve(paths, docker);
    const problem = "Entry 7 of the journal was changed.";
    const { concerns } = await readStatus({ ...deps, journal: async () => ({ runs: [], entries: 0, head: "", problem }) });
    expect(concerns).toEqual([`${problem} Run \`millwright history verify\`.`]);
  });

  it("is that nothing works on the run that holds the lock", async () => {
    const { paths, docker, deps } = await host();
    await serve(paths, docker);
    const run = { run: "r9", who: "maria", reason: "Swap", since: "2026-11-24T01:50:00.000Z" };
    expect((await readStatus({ ...deps, run: async () => ({ ...run, isActive: true }) })).concerns).toEqual([]);
    expect((await readStatus({ ...deps, run: async () => ({ ...run, isActive: false }) })).concerns).toEqual([
      "Nothing works on the run r9, which has not ended: run `millwright resume` or `millwright abort`.",
    ]);
  });
});

describe("a run that waits in its preview", () => {
  it("needs a person as long as something works on it, and is told with both ways out", async () => {
    const { paths, docker, deps } = await host();
    await serve(paths, docker);
    const preview = { since: "2026-11-24T01:50:00.000Z", until: "2026-11-24T03:50:00.000Z" };
    const run = { run: "r9", who: "maria", reason: "Swap", since: "2026-11-24T01:49:00.000Z", isActive: true, preview };
    expect((await readStatus({ ...deps, run: async () => run })).concerns).toEqual([
      "Run r9 waits in its preview since 2026-11-24T01:50:00.000Z, until 2026-11-24T03:50:00.000Z: run `millwright resume` to let it go on, or `millwright abort`.",
    ]);
    expect((await readStatus({ ...deps, run: async () => ({ ...run, isActive: false }) })).concerns).toEqual([
      "Nothing works on the run r9, which has not ended: run `millwright resume` or `millwright abort`.",
    ]);
  });
});

describe("status of a host in trouble", () => {
  it("says that a run cannot go on, why, and that it is tried again", async () => {
    const { paths, docker, deps } = await host();
    await serve(paths, docker);
    const trouble = { times: 7, at: "2026-11-24T02:00:00.000Z", message: "The vault does not open." };
    const status = await readStatus({
      ...deps,
      run: async () => ({ run: "r3", who: "maria", reason: "Swap to 2.", since: "2026-11-24T01:59:00.000Z", isActive: true, trouble }),
    });
    expect(statusSchema.parse(status).run).toMatchObject({ run: "r3", trouble });
    expect(status.concerns[0]).toBe(
      "Run r3 cannot go on: The vault does not open. It was tried 7 times, last at 2026-11-24T02:00:00.000Z. Mend the cause, then run `millwright resume`.",
    );
  });

  it("still says what serves when something else cannot be told", async () => {
    const { paths, docker, deps } = await host();
    await serve(paths, docker);
    const status = await readStatus({
      ...deps,
      drift: () => Promise.reject(new MillwrightError("VAULT_LOCKED", "The vault does not open.", { hint: "Run `millwright host bootstrap`." })),
    });
    expect(status.serving).toMatchObject({ colour: "blue", release: "2026-11-24-1" });
    expect(status.drift).toEqual([]);
    expect(status.concerns).toEqual(["Drift cannot be told: The vault does not open. Run `millwright host bootstrap`."]);
  });

  it("fails for a fault of the tool itself", async () => {
    const { deps } = await host();
    await expect(readStatus({ ...deps, drift: () => Promise.reject(new TypeError("x is undefined")) })).rejects.toThrow("x is undefined");
  });
});

describe("logs", () => {
  it("are those of the serving colour unless another is named", async () => {
    const { paths, docker } = await host();
    await serve(paths, docker);
    docker.behave(`${STACK}-blue/web`, { logs: ["blue 1", "blue 2"] });
    docker.behave(`${STACK}-green/web`, { logs: ["green 1"] });
    const deps = { stack: STACK, paths, docker };
    expect(await readLogs(deps, "web", 1)).toEqual({ service: "web", container: `${STACK}-blue-web-1`, lines: ["blue 2"] });
    expect((await readLogs(deps, "green-web", 10)).lines).toEqual(["green 1"]);
  });

  it("of an unknown service name those that there are", async () => {
    const { paths, docker } = await host();
    await serve(paths, docker);
    await expect(readLogs({ stack: STACK, paths, docker }, "redis", 10)).rejects.toMatchObject({
      code: "SERVICE_UNKNOWN",
      exit: 2,
      hint: expect.stringContaining("blue-web, cron, database, edge") as string,
    });
  });
});

describe("a status with an offsite repository", () => {
  const AWAY = { place: "nas:9000/acme/", at: RECORD.at, ended: "2026-11-24T01:03:00.000Z", database: RECORD.database, files: RECORD.files };

  async function withOffsite(archiving: Archiving = {}) {
    const { paths, docker, deps, clock } = await host();
    await serve(paths, docker);
    const current = await deps.current();
    const asked: boolean[] = [];
    const status = (): ReturnType<typeof readStatus> =>
      readStatus({
        ...deps,
        current: async () =>
          current && {
            ...current,
            facts: async () => ({ ...(await current.facts()), backup: { ...POLICY, offsite: { place: "nas:9000/acme/", keepDays: 35 } } }),
          },
        archiving: async (hasOffsite) => {
          asked.push(hasOffsite);
          return archiving;
        },
      });
    return { paths, status, clock, asked };
  }

  it("says when a backup was last there, and has no concern while the newest is", async () => {
    const { paths, status, asked } = await withOffsite({ log: { archived: "2026-11-24T01:59:30Z", waiting: 1, bytes: 64e6 } });
    await writeBackupRecord(paths, { ...RECORD, offsite: AWAY });
    const { backup, concerns } = statusSchema.parse(await status());
    expect(backup).toMatchObject({ offsite: { last: AWAY.ended, hasNewest: true }, log: { waiting: 1 } });
    expect(concerns).toEqual([]);
    expect(asked).toEqual([true]);
  });

  it("names what is only on the host: the newest backup, new files, a log that waits and fills the disk", async () => {
    const { paths, status, clock } = await withOffsite({
      filesFailSince: "2026-11-25T05:00:00Z",
      log: { archived: "2026-11-25T04:00:00Z", waiting: 160, bytes: 2_600e6 },
    });
    await writeBackupRecord(paths, { ...RECORD, id: "20261123-005900-aaaa", offsite: AWAY });
    clock.pass(Date.parse("2026-11-25T05:30:00.000Z") - clock.now());
    await writeBackupRecord(paths, { ...RECORD, ended: "2026-11-25T01:00:00.000Z" });
    const { concerns } = await status();
    expect(concerns).toEqual([
      "The last backup is only on the host, not in the offsite repository: `millwright history` says why, `millwright backup run` tries again.",
      "The last good backup in the offsite repository is 28 hours old.",
      "New files do not reach the offsite repository since 2026-11-25T05:00:00Z: run `millwright logs backup`.",
      "160 segments of the database's log wait to be archived, since 2026-11-25T04:00:00Z: it fills the data disk, 2600 MB so far. Run `millwright logs database`.",
    ]);
  });

  it("shows a drill from there beside that of the host's own backups, which it does not stand for", async () => {
    const { paths, status, clock } = await withOffsite();
    await writeBackupRecord(paths, { ...RECORD, offsite: AWAY });
    clock.pass(15 * 86_400_000);
    const at = new Date(clock.now()).toISOString();
    await writeDrillRecord(paths, { ...DRILL, at, rpoSeconds: 44, from: "offsite" });
    const seen = statusSchema.parse(await status());
    expect(seen.backup).toMatchObject({ drill: { at: DRILL.at, rpoSeconds: DRILL.rpoSeconds }, offsite: { drill: { at, rpoSeconds: 44 } } });
    expect(seen.concerns.join()).toContain("The last drill that was passed is 15 days ago");
  });

  it("says that nothing is archived since a restore that could not finish, but not while one holds it", async () => {
    const { paths, status } = await withOffsite({ log: { archived: "2026-11-24T01:59:30Z", waiting: 1, bytes: 64e6, isHeld: true } });
    await writeBackupRecord(paths, { ...RECORD, offsite: AWAY });
    const seen = statusSchema.parse(await status());
    expect(seen.concerns).toEqual([expect.stringMatching(/^The database archives nothing since a restore .* run `millwright backup run`\.$/)]);
    const run = { run: "r2", who: "maria", reason: "restore", since: "", isActive: true };
    expect(findConcerns({ ...seen, run }, Date.parse("2026-11-24T02:00:00Z"))).toEqual([]);
  });

  it("still says the rest when the database cannot be asked", async () => {
    const { deps, paths, docker } = await host();
    await serve(paths, docker);
    const archiving = async (): Promise<never> => await Promise.reject(new MillwrightError("DATABASE_FAILED", "PostgreSQL refused a query: no."));
    const { concerns, serving } = await readStatus({ ...deps, archiving });
    expect(serving).toBeDefined();
    expect(concerns[0]).toMatch(/^How backups are made all day long cannot be told: PostgreSQL refused a query: no\./);
  });
});
