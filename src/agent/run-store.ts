import { mkdir, rm } from "node:fs/promises";
import * as z from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import type { Clock } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { type Plan, planSchema } from "../kernel/plan.ts";
import { ARGUMENTS } from "./arguments.ts";
import { hasCode, namesIn, syncDirectory, writeDurable, writtenAt } from "../kernel/durable-file.ts";
import { readState } from "../kernel/read-state.ts";
import { readPreview } from "../swap/preview-file.ts";
import { verifyJournal } from "./journal-file.ts";
import { freeLock, lockHeld, readLock, takeLock, withStartMutex } from "./run-lock.ts";

/** Plans and marks are the agent's own. */
const PRIVATE = { mode: 0o600 };
const KEPT_RUNS = 50;
const KEPT_PLANS = 20;
/** Longer than any run should take beside its waiting and its watching; after it, the lock is pointed out as overdue. */
const LEASE_MILLISECONDS = 2 * 60 * 60 * 1000;

export interface RunStore {
  readonly paths: HostPaths;
  readonly clock: Clock;
  /** Random bytes, so that two runs of one second have different ids. */
  readonly random: (bytes: number) => Uint8Array;
}

export interface StartRequest {
  readonly plan: string;
  readonly who: string;
  /** The plan's kind must be one of these: `deploy` does not carry out a swap's plan. */
  readonly kinds: readonly Plan["kind"][];
  /** Looks at the host again and hashes what it sees, as the plan's `basis` was made. */
  readonly basisNow: (plan: Plan) => Promise<string>;
}

/** Keeps a plan on the host until it is started by its id: what runs is what was shown. */
export async function savePlan(store: RunStore, plan: Plan): Promise<void> {
  if (!ARGUMENTS.plan.test(plan.id)) throw new MillwrightError("INTERNAL", `A plan has the id "${plan.id}", by which no verb could name it.`);
  const directory = plansDirectory(store.paths);
  await mkdir(directory, { recursive: true });
  await writeDurable(planFile(store.paths, plan.id), `${JSON.stringify(plan, null, 2)}\n`, PRIVATE);
  await pruneOldest(directory, KEPT_PLANS, await oldestFirst(directory));
}

export async function readPlan(paths: HostPaths, id: string): Promise<Plan> {
  const plan = await readState(planFile(paths, id), planSchema);
  if (plan !== undefined) return plan;
  throw new MillwrightError("PLAN_UNKNOWN", `The host has no plan ${id}; it may be too old.`, { hint: "Make a new one with `millwright plan`." });
}

/**
 * Turns a saved plan into the stack's run: refuses it if another run is open or the host has changed since (PLAN_STALE), writes
 * `plan.json`, then takes the lock. From then on the run will be carried out or undone, whatever dies. Returns the run's id.
 */
export async function beginRun(store: RunStore, request: StartRequest): Promise<string> {
  const { paths, clock } = store;
  return await withStartMutex(paths, clock, async () => {
    await refuseWhileOpen(store);
    const plan = await readPlan(paths, request.plan);
    if (!request.kinds.includes(plan.kind)) {
      throw new MillwrightError("PLAN_UNKNOWN", `Plan ${plan.id} is a ${plan.kind}, which this command does not carry out.`, {
        hint: `Use \`millwright ${plan.kind === "swap" ? "upgrade" : plan.kind}\`.`,
      });
    }
    if ((await request.basisNow(plan)) !== plan.basis) {
      throw new MillwrightError("PLAN_STALE", "The host has changed since the plan was made.", { hint: "Make the plan again and look at what is different." });
    }
    const now = clock.now();
    const run = await makeRunFolder(store, now);
    await writeDurable(`${paths.run(run)}/plan.json`, `${JSON.stringify(plan, null, 2)}\n`, PRIVATE);
    await syncDirectory(paths.runs);
    const planned = plan.steps.reduce((sum, step) => sum + (step.waitSeconds ?? 0) + (step.watchSeconds ?? 0), 0);
    const [since, expires] = [new Date(now).toISOString(), new Date(now + LEASE_MILLISECONDS + planned * 1000).toISOString()];
    await takeLock(paths, { run, who: request.who, reason: plan.purpose, since, expires });
    return run;
  });
}

/** Two runs of one second may be given the same number: the second would be taken for the first, which has ended. */
async function makeRunFolder({ paths, random }: RunStore, now: number): Promise<string> {
  await mkdir(paths.runs, { recursive: true });
  for (;;) {
    const run = runId(now, random(2));
    try {
      await mkdir(paths.run(run));
      return run;
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
  }
}

/** The plan a run was begun with. */
export async function planOfRun(paths: HostPaths, run: string): Promise<Plan> {
  const path = `${paths.run(run)}/plan.json`;
  const plan = await readState(path, planSchema);
  if (plan !== undefined) return plan;
  throw new MillwrightError("STATE_DAMAGED", "The run that holds the lock has no plan any more.", { subject: path, hint: "Look at `millwright history`." });
}

/** Frees the lock after the run's end is in the journal, and drops the oldest runs. */
export async function endRun(store: RunStore, run: string): Promise<void> {
  await withStartMutex(store.paths, store.clock, () => freeLock(store.paths, run));
  const runs = (await listRuns(store.paths)).filter((id) => id !== run);
  await pruneOldest(store.paths.runs, KEPT_RUNS - 1, runs);
}

/** Ids of the runs kept, oldest first. */
export async function listRuns(paths: HostPaths): Promise<readonly string[]> {
  return (await namesIn(paths.runs)).filter((name) => RUN_ID.test(name)).sort();
}

/** A person wants the run undone. The mark stays with the run, so that a restart of the unit does not forget it. */
export async function markAbort(paths: HostPaths, run: string, who: string): Promise<void> {
  await writeDurable(abortFile(paths, run), `${JSON.stringify({ who })}\n`, PRIVATE);
}

export async function abortedBy(paths: HostPaths, run: string): Promise<string | undefined> {
  return (await readState(abortFile(paths, run), abortSchema))?.who;
}

const abortSchema = z.object({ who: z.string() });

async function refuseWhileOpen(store: RunStore): Promise<void> {
  const lock = await readLock(store.paths);
  if (lock === undefined) return;
  const { entries } = await verifyJournal(store.paths.journal);
  const hasEnded = entries.some((entry) => entry.run === lock.run && entry.kind === "run-ended");
  if (!hasEnded) throw lockHeld(lock, store.clock.now(), (await readPreview(store.paths, lock.run)) !== undefined);
  // The run was over but died before it could free the lock.
  await freeLock(store.paths, lock.run);
}

const RUN_ID = /^[0-9]{8}-[0-9]{6}-[0-9a-f]{4}$/;

function runId(now: number, random: Uint8Array): string {
  const [day = "", time = ""] = new Date(now).toISOString().replace(/[-:]/g, "").slice(0, 15).split("T");
  return `${day}-${time}-${Buffer.from(random).toString("hex")}`;
}

function plansDirectory(paths: HostPaths): string {
  return `${paths.state}/plans`;
}

function planFile(paths: HostPaths, id: string): string {
  return `${plansDirectory(paths)}/${id}.json`;
}

function abortFile(paths: HostPaths, run: string): string {
  return `${paths.run(run)}/abort`;
}

/** Only whole plans; one that another process has just pruned counts as the oldest. */
async function oldestFirst(directory: string): Promise<readonly string[]> {
  const names = (await namesIn(directory)).filter((name) => !name.startsWith("."));
  const dated = await Promise.all(names.map(async (name) => ({ name, time: await writtenAt(`${directory}/${name}`) })));
  return dated.sort((a, b) => a.time - b.time).map(({ name }) => name);
}

async function pruneOldest(directory: string, keep: number, names: readonly string[]): Promise<void> {
  const surplus = names.slice(0, Math.max(0, names.length - keep));
  for (const name of surplus) await rm(`${directory}/${name}`, { recursive: true, force: true });
}
