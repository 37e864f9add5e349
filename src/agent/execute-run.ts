import { watch } from "node:fs";
import { timestamp } from "../kernel/clock.ts";
import { toErrorRecord } from "../kernel/error-record.ts";
import { asMillwrightError, messageOf, MillwrightError } from "../kernel/errors.ts";
import { type Events, eventSchema, type MillwrightEvent } from "../kernel/events.ts";
import type { JournalEntry } from "../kernel/journal.ts";
import type { Plan } from "../kernel/plan.ts";
import { type RunOutcome, runPlan } from "../kernel/run-plan.ts";
import { swapMove } from "../swap/swap-context.ts";
import { type JournalFile, openJournal } from "./journal-file.ts";
import { RunEvents } from "./run-events.ts";
import { type Lock, readLock } from "./run-lock.ts";
import { abortedBy, endRun, planOfRun, type RunStore } from "./run-store.ts";
import { noteTrouble } from "./run-trouble.ts";
import type { RunReport, RunTable, RunTables } from "./run-table.ts";
import { writeMetrics } from "./write-metrics.ts";

export type EndedEvent = Extract<MillwrightEvent, { kind: "ended" }>;

/** Exit statuses as the run's unit understands them: 7 is not started again, any other but 0 is. */
export const RUN_EXIT = { ended: 0, failed: 7, stopped: 143 } as const;

/**
 * Carries out, or goes on with, the run that holds the stack's lock, to its end: what the run's unit does. `stop` aborts when the process
 * is told to stop; then the run is left as it is for the next start.
 */
export async function executeRun(store: RunStore, tables: RunTables, stop: AbortSignal): Promise<number> {
  const { paths, clock } = store;
  const lock = await readLock(paths);
  if (lock === undefined) return RUN_EXIT.ended;
  using events = new RunEvents(`${paths.run(lock.run)}/events.jsonl`);
  try {
    const plan = await planOfRun(paths, lock.run);
    await using journal = await openJournal(paths, lock.run, lock.who, clock);
    return await goOn({ store, lock, plan, journal, events, stop }, tables);
  } catch (error) {
    const problem = asMillwrightError(error);
    const said = { at: timestamp(clock), run: lock.run, summary: problem.message, error: toErrorRecord(problem) };
    // Trying again mends no file: systemd would do so for ever.
    const isDamaged = problem.code === "STATE_DAMAGED";
    if (isDamaged || problem.exit === RUN_EXIT.failed) events.emit({ kind: "ended", outcome: "failed", ...said });
    else events.emit({ kind: "note", at: said.at, level: "warning", text: `The run stopped and will be started again: ${problem.message}` });
    await noteTrouble(paths, lock.run, problem, clock).catch((second: unknown) => {
      events.emit({ kind: "note", at: timestamp(clock), level: "warning", text: `That could not be noted for \`millwright status\`: ${messageOf(second)}` });
    });
    if (isDamaged) return RUN_EXIT.failed;
    throw error;
  }
}

interface Work {
  readonly store: RunStore;
  readonly lock: Lock;
  readonly plan: Plan;
  readonly journal: JournalFile;
  readonly events: Events;
  readonly stop: AbortSignal;
}

async function goOn(work: Work, tables: RunTables): Promise<number> {
  const { store, lock, plan, journal, events } = work;
  const clock = store.clock;
  const ended = endedInJournal(await journal.entries());
  if (ended !== undefined) {
    // Cut off between the journal's last line and the freeing of the lock.
    await tellMetrics(work);
    events.emit(ended);
    await endRun(store, lock.run);
    return RUN_EXIT.ended;
  }
  const steps = plan.steps.map(({ id, title }) => ({ id, title }));
  const swap = swapMove(plan);
  const told = { run: lock.run, purpose: plan.purpose, who: lock.who, steps };
  events.emit({ kind: "plan", at: timestamp(clock), ...told, ...(swap === undefined ? {} : { swap }) });
  if ((await journal.entries()).every((entry) => entry.kind !== "run-begun")) {
    await journal.append({
      kind: "run-begun",
      step: "",
      detail: { kind: plan.kind, plan: plan.id, purpose: plan.purpose, basis: plan.basis, ...(swap === undefined ? {} : { swap }) },
    });
  }
  const table = await makeTable(work, tables);
  const outcome = table instanceof MillwrightError ? nothingDone(table) : await runWithAbort(work, table);
  if (outcome === "stopped") return RUN_EXIT.stopped;

  const end = await endedEvent(work, outcome, table instanceof MillwrightError ? undefined : table.report);
  if (outcome.outcome === "failed") {
    await tellMetrics(work);
    // The lock stays: nothing else may begin on a stack that is half undone.
    events.emit(end);
    return RUN_EXIT.failed;
  }
  await journal.append({ kind: "run-ended", step: "", detail: end });
  await tellMetrics(work);
  events.emit(end);
  await endRun(store, lock.run);
  return RUN_EXIT.ended;
}

/** What was done stands whether its metrics can be written or not. */
async function tellMetrics({ store, journal, events }: Work): Promise<void> {
  try {
    await writeMetrics(store.paths, journal.whole());
  } catch (error) {
    const text = `The metrics of this run could not be written: ${messageOf(error)}`;
    events.emit({ kind: "note", at: timestamp(store.clock), level: "warning", text });
  }
}

/** The plan's code, or why there is none while nothing has been done yet: that ends the run instead of trying for ever. */
async function makeTable({ store, lock, plan, journal, events }: Work, tables: RunTables): Promise<RunTable | MillwrightError> {
  try {
    const make = tables[plan.kind];
    if (make === undefined) throw new MillwrightError("INTERNAL", `This agent has no code for a plan of the kind ${plan.kind}.`);
    return await make(plan, { run: lock.run, who: lock.who, directory: store.paths.run(lock.run), events });
  } catch (error) {
    const hasBegun = (await journal.entries()).some((entry) => entry.step !== "");
    if (hasBegun) throw error;
    return asMillwrightError(error);
  }
}

function nothingDone(error: MillwrightError): RunOutcome {
  return { outcome: "undone", error, warnings: [] };
}

async function runWithAbort(work: Work, table: RunTable): Promise<RunOutcome | "stopped"> {
  const { store, lock, plan, journal, events, stop } = work;
  const wasAborted = (await abortedBy(store.paths, lock.run)) !== undefined;
  const halt = new AbortController();
  const onStop = (): void => halt.abort(stop.reason);
  stop.addEventListener("abort", onStop, { once: true });
  if (stop.aborted) onStop();
  // A run that begins as aborted only goes back, which the same abort must not interrupt.
  using _ = wasAborted ? undefined : watchForAbort(work, halt);
  try {
    return await runPlan({ plan, table: table.table, context: undefined, journal, events, clock: store.clock, signal: halt.signal, abort: wasAborted });
  } catch (error) {
    if (stop.aborted) return "stopped";
    throw error;
  } finally {
    stop.removeEventListener("abort", onStop);
  }
}

/** Aborts as soon as the run's folder holds the mark of an abort. */
function watchForAbort({ store, lock, events }: Work, abort: AbortController): Disposable {
  const warn = (error: unknown): void => {
    const text = `An abort will be noticed only when the run is started again: ${String(error)}`;
    events.emit({ kind: "note", at: timestamp(store.clock), level: "warning", text });
  };
  const look = async (): Promise<void> => {
    const who = await abortedBy(store.paths, lock.run);
    if (who !== undefined) abort.abort(new MillwrightError("ABORTED", `The run was aborted by ${who}.`));
  };
  try {
    const watcher = watch(store.paths.run(lock.run), (_, name) => void (name === "abort" && look().catch(warn)));
    watcher.on("error", warn);
    // For a mark that came just before the watch.
    look().catch(warn);
    return { [Symbol.dispose]: () => watcher.close() };
  } catch (error) {
    // The kernel's limit of watches is reached.
    warn(error);
    return { [Symbol.dispose]: () => {} };
  }
}

async function endedEvent({ store, lock, plan, journal, events }: Work, outcome: RunOutcome, makeReport: RunReport | undefined): Promise<EndedEvent> {
  const entries = await journal.entries();
  const resultOf = (step: string): Record<string, unknown> | undefined => entries.findLast((entry) => entry.kind === "done" && entry.step === step)?.detail;
  let report: ReturnType<RunReport> = { summary: outcome.error?.message ?? plan.purpose };
  try {
    report = makeReport?.(outcome, resultOf) ?? report;
  } catch (error) {
    // What was done stands; only the words for it are missing.
    events.emit({ kind: "note", at: timestamp(store.clock), level: "warning", text: `The run's report could not be made: ${String(error)}` });
  }
  return {
    kind: "ended",
    at: timestamp(store.clock),
    run: lock.run,
    outcome: outcome.outcome,
    summary: report.summary,
    ...(outcome.error === undefined ? {} : { error: toErrorRecord(outcome.error) }),
    result: { steps: timesOf(entries), ...report.result, ...(outcome.warnings.length === 0 ? {} : { warnings: outcome.warnings }) },
  };
}

/** When each step began and ended, as the journal has it. */
function timesOf(
  entries: readonly JournalEntry[],
): readonly { readonly id: string; readonly began: string; readonly ended: string; readonly state: JournalEntry["kind"] }[] {
  const steps = new Map<string, { id: string; began: string; ended: string; state: JournalEntry["kind"] }>();
  for (const { step, kind, at } of entries) {
    if (step !== "") steps.set(step, { id: step, began: steps.get(step)?.began ?? at, ended: at, state: kind });
  }
  return [...steps.values()];
}

/** The end of a run as its journal holds it: for a follower whose events file lacks the last line. */
export function endedInJournal(entries: readonly JournalEntry[]): EndedEvent | undefined {
  const parsed = eventSchema.safeParse(entries.find((entry) => entry.kind === "run-ended")?.detail);
  return parsed.data?.kind === "ended" ? parsed.data : undefined;
}
