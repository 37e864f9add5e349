import { COLOURS } from "../../blueprint/stack.ts";
import { findContainer } from "../../docker/find-container.ts";
import { waitForHealth } from "../../docker/wait-for-health.ts";
import { timestamp } from "../../kernel/clock.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import type { RunView, StepCode } from "../../kernel/run-plan.ts";
import { undoFenced, writeFenced } from "../fenced.ts";
import { isDatabaseWell } from "../is-database-well.ts";
import { signOfLife } from "../plan-recovery.ts";
import { planOf, type RecoveryRun } from "../recovery-context.ts";
import { repositoriesAt } from "../repositories.ts";

type Code = StepCode<RecoveryRun>;

/** A fast shutdown writes all dirty pages first, and waits until a standby that follows has all of the log. */
const DATABASE_SECONDS = 300;
const SERVICE_SECONDS = 30;
const HEALTH_SECONDS = 300;
const POLL_MILLISECONDS = 250;

const LAST_SIGN = `UPDATE millwright.heartbeat SET at = clock_timestamp() RETURNING to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');`;

/** A container that a person's stop has ended is not started again when the host is. */
export const stopOdoo: Code = {
  async do(run) {
    const { drainSeconds, cronSeconds } = run.stack.facts.swap;
    for (const colour of COLOURS) {
      for (const [service, seconds] of [
        ["cron", cronSeconds],
        ["web", drainSeconds],
      ] as const) {
        const container = await findContainer(run.docker, `${run.stack.facts.stack}-${colour}`, service);
        if (container !== undefined) await run.docker.stop(container.id, seconds);
      }
    }
  },
  async undo(run, _step, view) {
    const { colour } = planOf(run, "fence");
    if (colour === undefined) return;
    for (const service of ["web", "cron"]) {
      const container = await findContainer(run.docker, `${run.stack.facts.stack}-${colour}`, service);
      if (container !== undefined) await run.docker.start(container.id);
      if (service === "web" && mustBeWell(run, view)) await untilItAnswers(run, view.signal);
    }
  },
};

/** What was not well before it was fenced cannot be waited for: the run would never end. */
function mustBeWell(run: RecoveryRun, { resultOf }: Pick<RunView, "resultOf">): boolean {
  return planOf(run, "fence").isLifted || resultOf("last-sign")?.["sign"] !== undefined;
}

/** Users led to it before would meet errors. */
async function untilItAnswers({ clock, pageProblem }: RecoveryRun, signal: AbortSignal): Promise<void> {
  const deadline = clock.now() + HEALTH_SECONDS * 1000;
  for (;;) {
    const problem = await pageProblem();
    if (problem === undefined) return;
    if (clock.now() >= deadline) throw new MillwrightError("RELEASE_UNHEALTHY", `Odoo does not come up again: ${problem}`);
    await clock.sleep(POLL_MILLISECONDS, signal);
  }
}

/**
 * Whoever has it has all that was written before: the standby must, before it takes over. A database that is dead has nothing to say, and one that an
 * earlier fence has stopped has said it.
 */
export const lastSign: Code = {
  async do(run) {
    if (!(await isDatabaseWell(run))) {
      const { sign } = planOf(run, "fence");
      return sign === undefined
        ? { summary: "the database is not well: what has not come over is lost" }
        : { sign, summary: `${sign}, as it was fenced before` };
    }
    const [row] = await run.psql.query("postgres", LAST_SIGN);
    return row?.[0] === undefined ? {} : { sign: row[0], summary: row[0] };
  },
};

/** Also a standby that only reads the repository has all of it then. */
export const handLog: Code = {
  async do(run, _step, { signal }) {
    await repositoriesAt("offsite", run).archive.check(signal);
  },
};

/** Of a host that is well they are taken twice: while users work, which may take hours, and what is new since then while they wait. */
export const handFiles: Code = {
  async do(run, _step, { signal }) {
    const { files } = await repositoriesAt("offsite", run).files.take("files", run.run, signal);
    return { summary: `${files} files` };
  },
};

export const stopDatabase: Code = {
  async do({ docker, stack }) {
    const database = await findContainer(docker, stack.facts.stack, "database");
    if (database !== undefined) await docker.stop(database.id, DATABASE_SECONDS);
  },
  async undo(run, step, view) {
    if (planOf(run, "fence").isAgain) return;
    const { signal } = view;
    const { docker, clock, events, stack } = run;
    const project = stack.facts.stack;
    const database = await findContainer(docker, project, "database");
    if (database === undefined) throw new MillwrightError("PLATFORM_DOWN", "The service database has no container.", { subject: "database" });
    await docker.start(database.id);
    if (!mustBeWell(run, view)) return;
    const onSecond = (seconds: number): void => events.emit({ kind: "progress", at: timestamp(clock), id: step.id, done: seconds, unit: "seconds" });
    await waitForHealth({ docker, clock, project, service: "database", limitSeconds: HEALTH_SECONDS, signal, onSecond });
  },
};

/** From here on nothing of this host's begins again by itself: neither containers, nor what the schedule would make of a release that serves. */
export const markFenced: Code = {
  async do(run, _step, view) {
    for (const { id, state } of await run.docker.containers(run.stack.facts.stack)) if (state !== "exited") await run.docker.stop(id, SERVICE_SECONDS);
    const sign = signOfLife.optional().parse(view.resultOf("last-sign")?.["sign"]) ?? planOf(run, "fence").sign;
    await writeFenced(run.paths, { at: timestamp(run.clock), who: run.who, run: run.run, sign });
  },
  async undo(run) {
    if (planOf(run, "fence").isAgain) return;
    const { docker, stack, paths } = run;
    await undoFenced(paths);
    for (const { id, state } of await docker.containers(stack.facts.stack)) if (state !== "running") await docker.start(id);
  },
};

/** The same the other way round. */
export const liftFence = turned(markFenced);
export const startDatabase = turned(stopDatabase);
export const startOdoo = turned(stopOdoo);

export const leadUsers: Code = { do: ({ leadBack }) => leadBack(), undo: ({ leadAway }) => leadAway() };

function turned(code: Code): Code {
  return {
    do: async (run, step, view) => await code.undo?.(run, step, view),
    undo: async (run, step, view) => void (await code.do(run, step, view)),
  };
}
