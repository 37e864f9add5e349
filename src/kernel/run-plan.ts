import { type Clock, timestamp } from "./clock.ts";
import { isErrorCode } from "./error-record.ts";
import { asMillwrightError, MillwrightError } from "./errors.ts";
import type { Events, MillwrightEvent } from "./events.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import type { Plan, Step } from "./plan.ts";
import { redact } from "./secret.ts";

export type StepResult = Record<string, unknown>;

/** The code of one kind of step. Both functions are idempotent: a run that was cut off calls them again. */
export interface StepCode<Context> {
  do(context: Context, step: Step, run: RunView): Promise<StepResult | void>;
  undo?(context: Context, step: Step, run: RunView): Promise<void>;
}

export type StepTable<Context> = Readonly<Record<string, StepCode<Context>>>;

export interface RunView {
  /** Aborts when a person aborts the run or the process is told to stop. */
  readonly signal: AbortSignal;
  /** What an earlier step of this run returned; undefined if it has not finished. */
  resultOf(stepId: string): StepResult | undefined;
}

export interface RunOutcome {
  readonly outcome: "done" | "undone" | "failed";
  readonly error?: MillwrightError;
  /** Failures of steps that only report. */
  readonly warnings: readonly string[];
}

type StepState = "begun" | "done" | "failed" | "undoing" | "undone" | "undo-failed";

/** What must not be left half-done is tried again: a host that was just started needs minutes until its containers answer. */
const PAUSES_SECONDS = [1, 2, 5, 10, 20, 30, 60, 60];

interface Options<Context> {
  readonly plan: Plan;
  readonly table: StepTable<Context>;
  readonly context: Context;
  readonly journal: Journal;
  readonly events: Events;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** True when a person asked for the run to be undone: an unfinished run goes back even after its decision. */
  readonly abort?: boolean;
}

/**
 * Carries out a plan, or goes on with one that was cut off. Each step is journaled before and after; the first failure undoes, in
 * reverse order, every step that had begun. A run found half-done goes forward if its decision was made and back otherwise.
 * A step that only reports (unless it says `once`), and an undo, is tried again for some minutes. An undo that fails even then stops the run (outcome `failed`):
 * the steps below it may depend on what could not be undone.
 */
export async function runPlan<Context>(options: Options<Context>): Promise<RunOutcome> {
  const { plan, journal, events, clock } = options;
  const states = new Map<string, StepState>();
  const results = new Map<string, StepResult>();
  const entries = await journal.entries();
  for (const entry of entries) noteEntry(entry, states, results);

  const view: RunView = { signal: options.signal, resultOf: (id) => results.get(id) };
  const warnings: string[] = [];
  const say = (step: Step, state: Extract<MillwrightEvent, { kind: "step" }>["state"], detail?: string): void =>
    events.emit({ kind: "step", at: timestamp(clock), id: step.id, title: step.title, state, ...(detail === undefined ? {} : { detail }) });

  const tryAgain = async (what: string, problem: MillwrightError, pauseSeconds: number): Promise<void> => {
    const text = `${what} failed and is tried again in ${pauseSeconds} s: ${problem.message}`;
    events.emit({ kind: "note", at: timestamp(clock), level: "warning", text });
    await pause(clock, pauseSeconds * 1000, options.signal);
  };

  /** Why the run has to go back after this step; undefined when it goes on. */
  const forward = async (step: Step): Promise<MillwrightError | undefined> => {
    for (let attempt = 0; ; attempt += 1) {
      if (options.signal.aborted) {
        if (isAbort(options.signal.reason)) return options.signal.reason;
        throw options.signal.reason;
      }
      await journal.append({ kind: "begun", step: step.id, detail: {} });
      states.set(step.id, "begun");
      if (attempt === 0) say(step, "begun");
      let result: StepResult;
      try {
        result = (await codeOf(options.table, step).do(options.context, step, view)) ?? {};
      } catch (error) {
        // The process is being stopped (reboot, unit restart): leave the journal as it is, the next start decides.
        if (options.signal.aborted && !isAbort(options.signal.reason)) throw error;
        const problem = isAbort(options.signal.reason) ? options.signal.reason : asMillwrightError(error);
        // An abort takes the whole run back, whichever step it hit.
        const isOver = step.failure === "undo" || isAbort(options.signal.reason);
        const pauseSeconds = isOver || step.once === true ? undefined : PAUSES_SECONDS[attempt];
        await journal.append({ kind: "failed", step: step.id, detail: failureDetail(problem, pauseSeconds) });
        states.set(step.id, "failed");
        if (pauseSeconds === undefined) {
          say(step, "failed", problem.message);
          if (isOver) return problem;
          warnings.push(`${step.title}: ${problem.message}`);
          return undefined;
        }
        await tryAgain(`"${step.title}"`, problem, pauseSeconds);
        continue;
      }
      // What can be neither journaled nor told is no failure of the step: the run is cut off here, and the journal decides.
      await journal.append({ kind: "done", step: step.id, detail: result });
      states.set(step.id, "done");
      results.set(step.id, result);
      say(step, "done", typeof result["summary"] === "string" ? result["summary"] : undefined);
      return undefined;
    }
  };

  /** Why a step could not be undone; undefined when it was. */
  const back = async (step: Step, code: StepCode<Context>): Promise<MillwrightError | undefined> => {
    for (let attempt = 0; ; attempt += 1) {
      await journal.append({ kind: "undoing", step: step.id, detail: {} });
      if (attempt === 0) say(step, "undoing");
      try {
        // An abort must not stop the undoing that it asked for.
        await code.undo?.(options.context, step, { ...view, signal: new AbortController().signal });
      } catch (error) {
        const problem = asMillwrightError(error);
        const pauseSeconds = PAUSES_SECONDS[attempt];
        await journal.append({ kind: "undo-failed", step: step.id, detail: failureDetail(problem, pauseSeconds) });
        if (pauseSeconds === undefined) {
          say(step, "failed", problem.message);
          const hint = "Look at `millwright history` and the service's log, mend the cause, then run `millwright resume`.";
          return new MillwrightError("UNDO_FAILED", `Undoing "${step.title}" failed: ${problem.message}`, { hint, cause: error });
        }
        await tryAgain(`Undoing "${step.title}"`, problem, pauseSeconds);
        continue;
      }
      await journal.append({ kind: "undone", step: step.id, detail: {} });
      say(step, "undone");
      return undefined;
    }
  };

  let failure = wantsBack(plan, states, entries, options.abort ?? false);
  for (const step of plan.steps) {
    if (failure !== undefined) break;
    if (states.get(step.id) !== "done") failure = await forward(step);
  }
  if (failure === undefined) return { outcome: "done", warnings };

  for (const step of [...plan.steps].reverse()) {
    const state = states.get(step.id);
    const code = codeOf(options.table, step);
    if (state === undefined || state === "undone" || code.undo === undefined) continue;
    const problem = await back(step, code);
    if (problem !== undefined) return { outcome: "failed", error: problem, warnings };
  }
  return { outcome: "undone", error: failure, warnings };
}

/** With the seconds until the next try, if there is one. */
function failureDetail(problem: MillwrightError, againInSeconds: number | undefined): JournalEntry["detail"] {
  return { code: problem.code, message: redact(problem.message), ...(againInSeconds === undefined ? {} : { againInSeconds }) };
}

/** Ends early when the process is told to stop, which it passes on, and when a person aborts, who wants no more than what is going on. */
async function pause(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  if (isAbort(signal.reason)) {
    await clock.sleep(milliseconds);
    return;
  }
  try {
    await clock.sleep(milliseconds, signal);
  } catch (error) {
    if (!isAbort(signal.reason)) throw error;
  }
}

/** Why a run that has already begun must go back; undefined when it goes forward. */
function wantsBack(plan: Plan, states: Map<string, StepState>, entries: readonly JournalEntry[], abort: boolean): MillwrightError | undefined {
  if (abort) return new MillwrightError("ABORTED", "The run was aborted by a person.");
  const failed = entries.find((entry) => entry.kind === "failed" && plan.steps.some((step) => step.id === entry.step && step.failure === "undo"));
  if (failed !== undefined) {
    const { code, message } = failed.detail;
    return new MillwrightError(isErrorCode(code) ? code : "INTERNAL", `Step "${failed.step}" had failed: ${String(message)}`);
  }
  if ([...states.values()].some((state) => state === "undoing" || state === "undone" || state === "undo-failed")) {
    return new MillwrightError("ABORTED", "The run was being undone when it was cut off.");
  }
  const decision = plan.steps.find((step) => step.decision === true);
  const hasBegun = states.size > 0;
  if (hasBegun && decision !== undefined && states.get(decision.id) !== "done") {
    return new MillwrightError("ABORTED", "The run was cut off before its decision.");
  }
  return undefined;
}

function noteEntry(entry: JournalEntry, states: Map<string, StepState>, results: Map<string, StepResult>): void {
  if (entry.kind === "run-begun" || entry.kind === "run-ended" || entry.kind === "repaired") return;
  states.set(entry.step, entry.kind);
  if (entry.kind === "done") results.set(entry.step, entry.detail);
}

function codeOf<Context>(table: StepTable<Context>, step: Step): StepCode<Context> {
  const code = table[step.kind];
  if (code === undefined) throw new MillwrightError("INTERNAL", `The plan has a step of unknown kind "${step.kind}".`);
  return code;
}

function isAbort(reason: unknown): reason is MillwrightError {
  return reason instanceof MillwrightError && reason.code === "ABORTED";
}
