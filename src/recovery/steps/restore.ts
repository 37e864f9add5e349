import { join } from "node:path";
import { type Colour, COLOURS } from "../../blueprint/stack.ts";
import type { ContainerState } from "../../docker/docker.ts";
import { findContainer } from "../../docker/find-container.ts";
import { waitForHealth } from "../../docker/wait-for-health.ts";
import { timestamp } from "../../kernel/clock.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import type { Step } from "../../kernel/plan.ts";
import type { RunView, StepCode, StepResult } from "../../kernel/run-plan.ts";
import { writeBackupRecord } from "../backup-record.ts";
import { knownBackups, RELEASE_ARCHIVE } from "../known-backups.ts";
import { holdArchiving, letArchive } from "../ready-archive.ts";
import { bringsRelease, isInPlace, planOf, repositoriesOf, type RecoveryRun } from "../recovery-context.ts";
import { recoveryProject } from "../recovery-deps.ts";
import { backUpDatabase, countBefore, findHoles, record, seeArchive, snapshotFiles, snapshotHost } from "./backup.ts";
import { passProbes } from "./look.ts";
import { dropOtherRestorePoints, exchange, exchangeBack } from "../restore-point.ts";
import { clearScratch, emptyScratchFiles, makeScratchFolders, scratchFolders } from "../scratch.ts";

type Code = StepCode<RecoveryRun>;

/** A fast shutdown writes all dirty pages first. */
const DATABASE_SECONDS = 300;
const ANSWER_SECONDS = 300;
const POLL_MILLISECONDS = 250;

/** Loads the release that served at the backup. Its base comes by its digest, as a deploy's images do. */
export const releaseImage: Code = {
  async do(run, _step, { signal }) {
    const backup = bringsRelease(run);
    const { release } = backup;
    if ((await run.docker.image(release.image)) !== undefined) return { summary: "there already" };
    if (backup.host === undefined) throw new MillwrightError("RESTORE_FAILED", "The backup holds no release.", { subject: backup.id });
    const { releaseBase } = run.stack.facts;
    if ((await run.docker.image(releaseBase)) === undefined) await run.docker.pull(releaseBase, { signal });
    const { filestore } = scratchFolders(run);
    await repositoriesOf(run).files.restoreHost(backup.host.snapshot, signal);
    await run.loadRelease(release.image, join(filestore, RELEASE_ARCHIVE));
    await emptyScratchFiles(run);
  },
};

/** A database that is gone has nothing more to give: what it had not archived is lost. The files are what they are, without it as well. */
export const archiveNow: Code = {
  async do(run, _step, { signal }) {
    const { docker, stack, psql } = run;
    const files = await snapshotNow(run, signal);
    const database = await findContainer(docker, stack.facts.stack, "database");
    if (database?.state !== "running" || database.health !== "healthy")
      return { isWell: false, summary: `the database is not well: what it has not archived is lost; ${files}` };
    // Recovery knows that it has come to a moment by a transaction that is later.
    await psql.query("postgres", "UPDATE millwright.heartbeat SET at = clock_timestamp();");
    await repositoriesOf(run).archive.check(signal);
    return { summary: files };
  },
};

/**
 * The restored database begins a line of its own in the log. Were that archived and the exchange then taken back, every later restore would
 * follow it instead of the plant's: it is held back until there is no way back.
 */
export const close: Code = {
  async do(run) {
    await holdArchiving(run.scratchPsql);
    await run.compose.stop(recoveryProject(run), run.paths.recovery, ["database"], DATABASE_SECONDS);
  },
};

export const away: Code = {
  do: ({ leadAway }) => leadAway(),
  undo: ({ leadBack }) => leadBack(),
};

export const stop: Code = {
  do: stopPlant,
  undo: unlessInPlace(async (run, step, view) => {
    // What was not well before cannot be waited for: the run would never end, and no other restore could begin.
    if (view.resultOf("archive-now")?.["isWell"] === false) await startAsItWas(run);
    else await startPlant(run, step, view);
    await startJobs(run);
  }),
};

export const exchangeFolders: Code = {
  async do(run) {
    await exchange(run.paths, run.run);
    // Containers mount them, and the next restore needs them.
    await makeScratchFolders(run);
  },
  undo: unlessInPlace(({ paths, run }) => exchangeBack(paths, run)),
};

export const start: Code = {
  do: startPlant,
  undo: unlessInPlace(stopPlant),
};

export const leadUsersBack: Code = {
  do: ({ leadBack }) => leadBack(),
  /** An abort comes too late by then: what is still to be done for the plant to be whole is done instead. */
  async undo(run, _step, view) {
    if (!isInPlace(view)) return;
    await archiveAgain(run);
    await startJobs(run);
  },
};

export const archiveOn: Code = {
  async do(run, _step, { signal }) {
    await archiveAgain(run);
    await run.archive.check(signal);
  },
};

/** What the backups were is known on this host from here on. */
export const recordKnown: Code = {
  async do(run) {
    const known = await knownBackups(run, planOf(run, "restore").from);
    for (const told of known) await writeBackupRecord(run.paths, told);
    return { summary: `${known.length}` };
  },
};

export const startCron: Code = { do: startJobs };

export const clearAfterRestore: Code = {
  async do(run) {
    await clearScratch(run);
    const dropped = await dropOtherRestorePoints(run.paths, run.run);
    return { summary: dropped === 0 ? "done" : `${dropped} older restore points removed` };
  },
};

/**
 * The log of the restored database is a new branch: what is restored later begins at a backup of its own. It is a backup like any other, with its record: until
 * there is one on the new branch, the newest record is of what was left behind.
 */
export const fullBackup: Code = {
  async do(run, step, { signal }) {
    const backup: RecoveryRun = { ...run, plan: { kind: "backup", type: "full", release: planOf(run, "restore").release } };
    const results = new Map<string, StepResult>();
    const view: RunView = { signal, resultOf: (name) => results.get(name) };
    for (const [name, code] of Object.entries(WHOLE_BACKUP)) results.set(name, (await code.do(backup, step, view)) ?? {});
    return { summary: results.get("database")?.["summary"] };
  },
};

const WHOLE_BACKUP = { archive: seeArchive, count: countBefore, database: backUpDatabase, files: snapshotFiles, host: snapshotHost, gaps: findHoles, record };

/** A filestore that is gone, or damaged, is what a restore is for: that it cannot be read any more is said, and keeps nobody from it. */
async function snapshotNow(run: RecoveryRun, signal: AbortSignal): Promise<string> {
  try {
    return `${(await repositoriesOf(run).files.take("files", run.run, signal)).files} files`;
  } catch (error) {
    if (signal.aborted || !(error instanceof MillwrightError)) throw error;
    return `no snapshot of the files as they are: ${error.message}`;
  }
}

function unlessInPlace(undo: NonNullable<Code["undo"]>): NonNullable<Code["undo"]> {
  return async (run, step, view) => {
    if (!isInPlace(view)) await undo(run, step, view);
  };
}

async function archiveAgain(run: RecoveryRun): Promise<void> {
  const { psql, archive } = run;
  const { from, colour } = planOf(run, "restore");
  // A new host's own repository was made ready for the database that came with its first deploy.
  if (from === "offsite" && colour === undefined) await archive.adopt();
  // Last: while it is held, the next backup or deploy knows that there is still something to finish.
  await letArchive(psql);
}

async function stopPlant(run: RecoveryRun): Promise<void> {
  const { drainSeconds, cronSeconds } = run.stack.facts.swap;
  // The other colour is not led to, but somebody may have started it, and it would go on with the files of before.
  for (const colour of COLOURS) {
    const [web, cron] = [await colourContainer(run, "web", colour), await colourContainer(run, "cron", colour)];
    if (cron !== undefined) await run.docker.stop(cron.id, cronSeconds);
    if (web !== undefined) await run.docker.stop(web.id, drainSeconds);
  }
  const database = await findContainer(run.docker, run.stack.facts.stack, "database");
  if (database !== undefined) await run.docker.stop(database.id, DATABASE_SECONDS);
}

/** Database and web, in this order, until the login page is good; the files' container sees the folder that now has that name. */
async function startPlant(run: RecoveryRun, step: Step, view: RunView): Promise<void> {
  const { signal } = view;
  const { docker, clock, events } = run;
  const project = run.stack.facts.stack;
  for (const service of ["database", "backup"]) {
    const container = await findContainer(docker, project, service);
    if (container === undefined) throw new MillwrightError("PLATFORM_DOWN", `The service ${service} has no container.`, { subject: service });
    if (service === "backup") await docker.stop(container.id, 10);
    await docker.start(container.id);
    const onSecond = (seconds: number): void => events.emit({ kind: "progress", at: timestamp(clock), id: step.id, done: seconds, unit: "seconds" });
    await waitForHealth({ docker, clock, project, service, limitSeconds: ANSWER_SECONDS, signal, onSecond });
  }
  await run.provisionDatabase();
  if (planOf(run, "restore").colour === undefined) return;
  const web = await colourContainer(run, "web");
  if (web === undefined) throw new MillwrightError("RELEASE_UNHEALTHY", `The web container of ${String(planOf(run, "restore").colour)} is gone.`);
  await docker.start(web.id);
  const deadline = clock.now() + ANSWER_SECONDS * 1000;
  for (;;) {
    const problem = await run.pageProblem();
    if (problem === undefined) break;
    if (clock.now() >= deadline) throw new MillwrightError("RELEASE_UNHEALTHY", `Odoo does not come up on the restored database: ${problem}`);
    await clock.sleep(POLL_MILLISECONDS, signal);
  }
  await passProbes(run, view.resultOf("look"), signal);
}

async function startAsItWas(run: RecoveryRun): Promise<void> {
  const project = run.stack.facts.stack;
  for (const container of [await findContainer(run.docker, project, "database"), await findContainer(run.docker, project, "backup")]) {
    if (container === undefined) continue;
    await run.docker.stop(container.id, DATABASE_SECONDS);
    await run.docker.start(container.id);
  }
  const web = await colourContainer(run, "web");
  if (web !== undefined) await run.docker.start(web.id);
}

async function startJobs(run: RecoveryRun): Promise<void> {
  const cron = await colourContainer(run, "cron");
  if (cron !== undefined) await run.docker.start(cron.id);
}

async function colourContainer(
  run: RecoveryRun,
  service: "web" | "cron",
  colour: Colour | undefined = planOf(run, "restore").colour,
): Promise<ContainerState | undefined> {
  return colour === undefined ? undefined : await findContainer(run.docker, `${run.stack.facts.stack}-${colour}`, service);
}
