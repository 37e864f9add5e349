import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { hostPaths, type HostPaths } from "../../src/blueprint/host-paths.ts";
import type { Colour, Stack } from "../../src/blueprint/stack.ts";
import { findContainer } from "../../src/docker/find-container.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import type { MillwrightEvent } from "../../src/kernel/events.ts";
import type { Journal, JournalEntry } from "../../src/kernel/journal.ts";
import type { Plan } from "../../src/kernel/plan.ts";
import { type RunOutcome, runPlan } from "../../src/kernel/run-plan.ts";
import { Secret } from "../../src/kernel/secret.ts";
import type { Beginning } from "../../src/recovery/beginning.ts";
import type { BackupRecord } from "../../src/recovery/backup-record.ts";
import type { BackupType, DatabaseArchive, DatabaseBackup } from "../../src/recovery/database-archive.ts";
import type { FileRepository, Snapshot } from "../../src/recovery/file-repository.ts";
import { RELEASE_ARCHIVE } from "../../src/recovery/known-backups.ts";
import { LOGIN_DONE } from "../../src/recovery/login-script.ts";
import { recoveryRun } from "../../src/recovery/recovery-context.ts";
import type { RecoveryDeps } from "../../src/recovery/recovery-deps.ts";
import { RECOVERY_STEPS } from "../../src/recovery/recovery-steps.ts";
import type { Psql } from "../../src/swap/psql.ts";
import { readServing, writeServing } from "../../src/swap/serving.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { FakeDocker } from "../fakes/fake-docker.ts";
import { FakeSite } from "../swap/fake-site.ts";

export const STACK = "acme-production";
export const RUN = "20261124-020000-abcd";
const IMAGE = `sha256:${"a".repeat(64)}`;
const DATABASE_IMAGE = "millwright/database:1";

const STACK_OF_A_SITE = FakeSite.make().then(({ stack }) => stack);

/** Thrown where a run is cut: the process is gone, nothing after it happens. */
export class Cut extends Error {}

/** What is in a database, or in a folder of it. */
interface Rows {
  readonly word: string;
  readonly isArchiving: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly modules: readonly string[];
}

export const RECORD: BackupRecord = {
  version: 1,
  id: "20261123-023000-aaaa",
  stack: STACK,
  at: "2026-11-23T02:30:00.000Z",
  ended: "2026-11-23T02:34:00.000Z",
  who: "schedule",
  release: { id: "r1", image: IMAGE },
  database: { label: "20261123-023000F", type: "full", size: 1000, added: 100 },
  files: { snapshot: "after-backup", files: 1, bytes: 10, added: 10 },
  host: { snapshot: "host-1" },
  counts: { res_partner: 100 },
  modules: ["base"],
};

/** A plant that serves on blue, in a temporary folder: real files, which say what they are of, a fake engine, fake repositories. */
export class FakePlant {
  readonly clock = new FakeClock();
  readonly docker = new FakeDocker(this.clock);
  readonly events: MillwrightEvent[] = [];
  readonly journalEntries: JournalEntry[] = [];
  readonly paths: HostPaths;
  readonly stack: Stack;
  /** Calls of the repositories, in order. */
  readonly asked: string[] = [];
  backups: DatabaseBackup[] = [backupOf(RECORD.database.label, "full", RECORD.at)];
  /** The segments of the log that the next backup needs. */
  begins: Partial<Pick<DatabaseBackup, "firstSegment" | "lastSegment">> = {};
  snapshots: Snapshot[] = [{ id: "after-backup", at: "2026-11-23T02:33:00.000Z", tags: [] }];
  segments: () => readonly string[] = () => ["000000010000000000000001", "000000010000000000000002"];
  /** Of the newest line of the log, where there is more than one. */
  history: { readonly timeline: number; readonly text: string } | undefined;
  /** What a backup holds. */
  archived: Rows = { word: "restored", isArchiving: true, counts: { res_partner: 100 }, modules: ["base"] };
  routed: Colour | "nobody" = "blue";
  /** Whether the plant cannot be started on a database, by its word. */
  isUnfit: (word: string) => boolean = () => false;
  /** Probes that the release fails on a database, by its word. */
  failsOn: (word: string) => readonly string[] = () => [];
  freeBytes = 100e9;
  /** Whether there is an offsite repository; it is the same. */
  hasOffsite = false;
  /** The sign of life that its database leaves. */
  sign: string | undefined;
  beginnings: readonly Beginning[] = [];
  /** What a verification of the files finds. */
  problems: readonly string[] = [];
  /** Whether that goes on until it is ended. */
  isSlow = false;
  /** What goes wrong, by a word of `asked`. */
  failing = new Map<string, Error>();
  /** Called at every point where a process could die. */
  atPoint: (what: string) => void = () => {};
  readonly #mounted = new Map<string, readonly number[]>();

  private constructor(root: string, stack: Stack) {
    this.paths = hostPaths(STACK, root);
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mode: "0700" };
    const directories = ["postgres", "filestore", "recovery-postgres", "recovery-filestore", "recovery-socket", "recovery-host"].map((name) => ({
      ...owner,
      path: `/srv/millwright/${STACK}/data/${name}`,
    }));
    this.stack = { ...stack, facts: { ...stack.facts, directories } };
    this.docker.beforeCall = (call) => {
      this.atPoint(call);
      const started = /^start (.*)$/.exec(call)?.[1];
      if (started !== undefined) this.#mount(started);
    };
    this.docker.onRun = (service, words, onLine) => {
      if (words[0] === "tell-history") onLine(this.history?.text ?? "");
      this.#ask(`run ${words[0] ?? ""}`);
      if (service.startsWith("database") && words[0] === "pgbackrest") this.#writeRows("recovery-postgres", this.archived);
      return 0;
    };
    this.docker.onExec = ({ service, words }) => {
      if (service === "backup" && words.join(" ").includes(" restore ")) this.#ask("end restore");
      return { code: 0, output: words[0] === "python3" ? LOGIN_DONE : "" };
    };
  }

  /** A host that was just made has a platform, and no release. */
  static async makeNew(): Promise<FakePlant> {
    const plant = await FakePlant.make();
    for (const { id, project } of await plant.docker.allContainers()) {
      if (project !== `${STACK}-blue`) continue;
      await plant.docker.stop(id, 0);
      await plant.docker.remove(id);
    }
    plant.docker.imageStates.delete(IMAGE);
    plant.docker.addToRegistry(plant.stack.facts.releaseBase);
    plant.routed = "nobody";
    await writeServing(plant.paths, undefined);
    return plant;
  }

  static async make(counts: Rows["counts"] = { res_partner: 100 }, modules: Rows["modules"] = ["base"]): Promise<FakePlant> {
    const plant = new FakePlant(await mkdtemp(join(tmpdir(), "millwright-")), await STACK_OF_A_SITE);
    const { paths, docker } = plant;
    for (const { path } of plant.stack.facts.directories) mkdirSync(join(paths.data, path.slice(path.lastIndexOf("/") + 1)), { recursive: true });
    plant.#writeRows("postgres", { word: "present", isArchiving: true, counts, modules });
    plant.#writeFile("filestore", "present");
    docker.addImage(IMAGE);
    docker.addImage(DATABASE_IMAGE);
    for (const service of ["database", "backup", "edge"]) docker.addContainer({ project: STACK, service });
    for (const service of ["web", "cron"]) docker.addContainer({ project: `${STACK}-blue`, service, image: IMAGE });
    for (const name of [`${STACK}/database`, `${STACK}/backup`, `${STACK}-blue/web`, `${STACK}-blue/cron`]) plant.#mount(name);
    mkdirSync(paths.state, { recursive: true });
    await writeServing(paths, { version: 1, colour: "blue", release: "r1", image: IMAGE, since: "", who: "", run: "run-0" });
    return plant;
  }

  get deps(): RecoveryDeps {
    return {
      stack: this.stack,
      paths: this.paths,
      docker: this.docker,
      compose: this.docker,
      psql: this.#psql(STACK, "postgres"),
      scratchPsql: this.#psql(`${STACK}-recovery`, "recovery-postgres"),
      archive: this.#archive,
      files: this.#files,
      ...(this.hasOffsite ? { offsite: { archive: this.#archive, files: this.#files } } : {}),
      clock: this.clock,
      events: { emit: (event) => this.events.push(event) },
      materialiseRecovery: async () => {
        this.atPoint("materialise");
        mkdirSync(this.paths.recovery, { recursive: true });
        const services = { database: { image: DATABASE_IMAGE }, "database-offsite": { image: DATABASE_IMAGE }, odoo: { image: IMAGE } };
        writeFileSync(join(this.paths.recovery, "compose.yaml"), JSON.stringify({ services }));
      },
      saveRelease: async () => {
        this.#ask("save release");
        return Readable.from(["release"]);
      },
      loadRelease: async (image, archivePath) => {
        this.#ask("load release");
        readFileSync(archivePath);
        this.docker.addImage(image);
      },
      secret: async () => new Secret("probe-is-long"),
      provisionDatabase: async () => {
        this.#ask("provision");
        if (this.isUnfit(this.rows("postgres")?.word ?? "")) throw new MillwrightError("PROVISION_FAILED", "The database refuses.");
      },
      leadAway: async () => {
        this.atPoint("lead away");
        this.routed = "nobody";
      },
      leadBack: async () => {
        this.atPoint("lead back");
        this.routed = (await readServing(this.paths))?.colour ?? "nobody";
      },
      pageProblem: async () => {
        if ((await readServing(this.paths)) === undefined) return undefined;
        const [web, database] = [await findContainer(this.docker, `${STACK}-blue`, "web"), await findContainer(this.docker, STACK, "database")];
        if (web?.state !== "running" || database?.state !== "running") return "connection refused";
        return undefined;
      },
      freeBytes: async () => this.freeBytes,
      following: async () => undefined,
      beginnings: async () => this.beginnings,
      probe: async () => {
        if ((await findContainer(this.docker, `${STACK}-blue`, "web"))?.state !== "running") return undefined;
        return this.failsOn(this.rows("postgres")?.word ?? "").map((name) => ({ name, detail: `${name} failed` }));
      },
      who: "operator",
    };
  }

  /** Carries a plan out, or goes on with it, as the host's unit does. */
  async run(plan: Plan, options: { readonly signal?: AbortSignal; readonly abort?: boolean } = {}, more: Partial<RecoveryDeps> = {}): Promise<RunOutcome> {
    const { signal = new AbortController().signal, abort = false } = options;
    const context = recoveryRun({ ...this.deps, ...more }, plan, RUN);
    const { clock } = this;
    return await runPlan({ plan, table: RECOVERY_STEPS, context, journal: this.#journal, events: this.deps.events, clock, signal, abort });
  }

  /** Everything that must fit together when nothing is under way. */
  async whole(): Promise<Readonly<Record<string, unknown>>> {
    const running = (await this.docker.allContainers()).filter(({ state }) => state === "running").map(({ project, service }) => `${project}/${service}`);
    const scratch = await Promise.all(["recovery-postgres", "recovery-filestore", "recovery-socket"].map((name) => readdir(join(this.paths.data, name))));
    const rows = this.rows("postgres");
    return {
      rows: rows?.word,
      files: this.#fileIn("filestore"),
      isArchiving: rows?.isArchiving,
      routed: this.routed,
      running: running.sort(),
      astray: running.filter((name) => this.#isAstray(name)),
      scratch: scratch.flat(),
    };
  }

  rows(folder: string): Rows | undefined {
    const path = this.#rowsPath(folder);
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Rows) : undefined;
  }

  fail(what: string, error: Error): void {
    this.failing.set(what, error);
  }

  #ask(what: string): void {
    this.atPoint(what);
    this.asked.push(what);
    const error = this.failing.get(what);
    if (error !== undefined) throw error;
  }

  #rowsPath(folder: string): string {
    return join(this.paths.data, folder, "18/docker/rows.json");
  }

  #writeRows(folder: string, rows: Rows): void {
    mkdirSync(dirname(this.#rowsPath(folder)), { recursive: true });
    writeFileSync(this.#rowsPath(folder), JSON.stringify(rows));
  }

  #writeFile(folder: string, word: string): void {
    const { file } = attachmentOf(word);
    const path = join(this.paths.data, folder, "filestore", this.stack.facts.database, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, word);
  }

  #fileIn(folder: string): string | undefined {
    return ["present", "restored"].find((word) => existsSync(join(this.paths.data, folder, "filestore", this.stack.facts.database, attachmentOf(word).file)));
  }

  #foldersOf(name: string): readonly string[] {
    const folders: Readonly<Record<string, readonly string[]>> = {
      [`${STACK}/database`]: ["postgres"],
      [`${STACK}/backup`]: ["filestore", "recovery-filestore"],
      [`${STACK}-blue/web`]: ["filestore"],
      [`${STACK}-blue/cron`]: ["filestore"],
    };
    return folders[name] ?? [];
  }

  #inodesOf(name: string): readonly number[] {
    return this.#foldersOf(name).map((folder) => statSync(join(this.paths.data, folder), { throwIfNoEntry: false })?.ino ?? 0);
  }

  /** A container sees the folders that had the names when it was started. */
  #mount(name: string): void {
    this.#mounted.set(name, this.#inodesOf(name));
  }

  #isAstray(name: string): boolean {
    return JSON.stringify(this.#mounted.get(name) ?? []) !== JSON.stringify(this.#inodesOf(name));
  }

  #psql(project: string, folder: string): Psql {
    return {
      query: async (_database, sql) => {
        if ((await findContainer(this.docker, project, "database"))?.state !== "running") throw new Error(`the database of ${project} does not run`);
        this.#ask(`${project}: ${sql.slice(0, 40)}`);
        const rows = this.rows(folder);
        if (rows === undefined) throw new Error("the database has no data");
        if (sql.startsWith("UPDATE millwright.heartbeat")) return this.sign === undefined ? [] : [[this.sign]];
        if (sql.startsWith("ALTER SYSTEM")) this.#writeRows(folder, { ...rows, isArchiving: sql.includes("RESET") });
        if (sql.startsWith("SELECT current_setting('archive_command')")) return [[rows.isArchiving ? "f" : "t"]];
        if (sql.startsWith("SELECT pg_is_in_recovery")) return [["f", String(this.clock.now() / 1000 - 30)]];
        if (sql.startsWith("SELECT relname")) return Object.keys(rows.counts).map((name) => [name]);
        if (sql.startsWith("SELECT name FROM ir_module_module")) return rows.modules.map((name) => [name]);
        if (sql.startsWith("SELECT pg_database_size")) return [["1000"]];
        if (sql.startsWith("SELECT to_char(date_trunc")) return [[new Date(this.clock.now() + 1).toISOString()]];
        if (sql.startsWith("SELECT count(*) FROM res_users")) return [["1"]];
        const counted = /^SELECT count\(\*\) FROM "(.*)";$/.exec(sql)?.[1];
        if (counted !== undefined) return [[String(rows.counts[counted] ?? 0)]];
        if (!sql.includes("ir_attachment")) return [];
        const { file, size } = attachmentOf(rows.word);
        return sql.includes(`LIKE '${file[0]}%'`) ? [[file, String(size), "2026-11-20T10:00:00.000Z"]] : [];
      },
    };
  }

  readonly #archive: DatabaseArchive = {
    prepare: async () => this.#ask("prepare"),
    adopt: async () => this.#ask("adopt"),
    check: async () => this.#ask("check"),
    backup: async (type) => {
      this.#ask(`backup ${type}`);
      const made = { ...backupOf(`${this.clock.now()}F`, type, new Date(this.clock.now()).toISOString()), ...this.begins };
      this.backups.push(made);
      return made;
    },
    expire: async (keepFulls) => this.#ask(`expire ${keepFulls}`),
    backups: async () => {
      this.#ask("backups");
      return this.backups;
    },
    segments: async () => this.segments(),
    verify: async () => [],
    listing: {
      backupsWords: ["list-backups"],
      backups: () => this.backups,
      segmentsWords: ["list-segments"],
      segments: () => this.segments(),
      newestHistory: () => (this.history === undefined ? undefined : { timeline: this.history.timeline, words: ["tell-history"] }),
    },
    restoreWords: (target, set) => ["pgbackrest", set, JSON.stringify(target), "restore"],
    standbyWords: (set) => ["pgbackrest", set, "standby", "restore"],
  };

  readonly #files: FileRepository = {
    prepare: async () => this.#ask("prepare files"),
    take: async (kind) => {
      this.#ask(`take ${kind}`);
      const id = `${kind}-${this.clock.now()}`;
      if (kind === "files") this.snapshots.push({ id, at: new Date(this.clock.now()).toISOString(), tags: [] });
      return { id, files: 1, bytes: 10, added: 10 };
    },
    snapshots: async (kind) => (kind === "files" ? this.snapshots : [{ id: "host-1", at: RECORD.ended, tags: [] }]),
    restore: async (snapshot) => {
      this.#ask(`restore ${snapshot}`);
      this.#writeFile("recovery-filestore", "restored");
    },
    lay: async (name) => this.#ask(`lay ${name}`),
    read: async () => JSON.stringify(RECORD),
    restoreHost: async (snapshot) => {
      this.#ask(`restore host ${snapshot}`);
      writeFileSync(join(this.paths.data, "recovery-filestore", RELEASE_ARCHIVE), "release");
    },
    verify: async (share, signal) => {
      this.#ask(`verify files ${share ?? "all"}`);
      if (this.isSlow) await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("the stream was closed"))));
      return this.problems;
    },
    forget: async (ids) => this.#ask(`forget ${ids.join(" ")}`),
  };

  readonly #journal: Journal = {
    append: async (entry) => {
      this.atPoint(`before ${entry.kind} ${entry.step}`);
      this.journalEntries.push({ seq: this.journalEntries.length, at: "", run: RUN, who: "", previous: "", hash: "", ...entry });
      this.atPoint(`after ${entry.kind} ${entry.step}`);
    },
    entries: async () => [...this.journalEntries],
  };

  [Symbol.dispose](): void {
    rmSync(this.paths.base, { recursive: true, force: true });
  }
}

export function backupOf(label: string, type: BackupType, began: string): DatabaseBackup {
  const [firstSegment, lastSegment] = ["000000010000000000000001", "000000010000000000000001"];
  return { label, type, began, ended: began, size: 1000, added: 100, firstSegment, lastSegment, isDamaged: false };
}

function attachmentOf(content: string): { readonly file: string; readonly size: number } {
  const hash = createHash("sha1").update(content).digest("hex");
  return { file: `${hash.slice(0, 2)}/${hash}`, size: content.length };
}
