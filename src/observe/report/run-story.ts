import * as z from "zod";
import type { ErrorRecord } from "../../kernel/error-record.ts";
import type { MillwrightEvent } from "../../kernel/events.ts";
import { type SwapPlanContext, swapContextSchema } from "../../swap/swap-context.ts";
import type { RunRecord } from "../run-record.ts";

type EventOf<Kind extends MillwrightEvent["kind"]> = Extract<MillwrightEvent, { kind: Kind }>;

/** What became of a step. `waiting` was never begun; `begun` has no end. */
export type StepState = "waiting" | "begun" | "done" | "failed" | "undoing" | "undone" | "undo-failed";

/** Times are seconds since the run began. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface StepStory {
  readonly id: string;
  readonly title: string;
  readonly cause: string;
  readonly isDecision: boolean;
  /** Of a canary's stage: how many of 100 browsers it leads to the new colour. */
  readonly percent?: number;
  readonly state: StepState;
  readonly did?: Span;
  readonly undid?: Span;
  /** What it said at its end. */
  readonly detail?: string;
}

export type Moment = { readonly at: number; readonly name: "switch" | "decision" | "back" | "again" } | StageMoment;

/** So many of 100 browsers were led to the new colour. */
export interface StageMoment {
  readonly at: number;
  readonly name: "stage";
  readonly percent: number;
}

export interface ProbeLook {
  readonly at: number;
  readonly colour: "blue" | "green";
  readonly name: string;
  readonly verdict: "pass" | "fail" | "unknown";
  readonly detail: string;
  readonly milliseconds: number;
}

export interface RunStory {
  readonly began: string;
  /** Length of the run, or of what is known of it. */
  readonly seconds: number;
  /** `open`: it has not ended. */
  readonly outcome: "done" | "undone" | "failed" | "open";
  readonly summary: string;
  readonly error?: ErrorRecord;
  readonly swap?: SwapPlanContext;
  readonly steps: readonly StepStory[];
  readonly moments: readonly Moment[];
  readonly probes: readonly ProbeLook[];
  readonly notes: readonly { readonly at: number; readonly level: "info" | "warning"; readonly text: string }[];
}

/** What happened in a run, out of what its host has kept. Pure. */
export function tellRun(record: RunRecord): RunStory {
  const { plan, events } = record;
  const began = events[0]?.at ?? record.journal.run[0]?.at ?? record.at;
  const since = (at: string): number => Math.max(0, (Date.parse(at) - Date.parse(began)) / 1000);
  const ended = events.findLast((event) => event.kind === "ended");
  const seconds = since(ended?.at ?? events.at(-1)?.at ?? began);
  const of = <Kind extends MillwrightEvent["kind"]>(kind: Kind): readonly EventOf<Kind>[] =>
    events.filter((event): event is EventOf<Kind> => event.kind === kind);
  const swap = swapContextSchema.safeParse(plan.context).data;
  const steps = plan.steps.map((step): StepStory => {
    const { id, title, cause } = step;
    const own = of("step").filter((event) => event.id === id);
    const percent = step.kind === "canary" ? stageSchema.safeParse(step.params).data?.percent : undefined;
    return { id, title, cause, isDecision: step.decision === true, ...(percent === undefined ? {} : { percent }), ...tellStep(own, since, seconds) };
  });
  const story = {
    began,
    seconds,
    steps,
    moments: momentsOf(
      steps,
      of("plan")
        .slice(1)
        .map(({ at }) => since(at)),
    ),
    probes: of("probe").map(({ at, colour, name, verdict, detail, milliseconds }) => ({ at: since(at), colour, name, verdict, detail, milliseconds })),
    notes: of("note").map(({ at, level, text }) => ({ at: since(at), level, text })),
    ...(swap === undefined ? {} : { swap }),
  };
  if (ended === undefined) return { ...story, outcome: "open", summary: "The run has not ended." };
  return { ...story, outcome: ended.outcome, summary: ended.summary, ...(ended.error === undefined ? {} : { error: ended.error }) };
}

/** A step that was cut off is begun again: it counts from its first begin to its last end. One that failed stays so when it is undone. */
function tellStep(
  events: readonly EventOf<"step">[],
  since: (at: string) => number,
  runSeconds: number,
): Pick<StepStory, "state" | "did" | "undid" | "detail"> {
  let state: StepState = "waiting";
  let did: Span | undefined;
  let undid: Span | undefined;
  let detail: string | undefined;
  for (const event of events) {
    const at = since(event.at);
    detail = event.detail ?? detail;
    switch (event.state) {
      case "begun":
        did = { from: did?.from ?? at, to: runSeconds };
        state = "begun";
        break;
      case "done":
      case "skipped":
        did = { from: did?.from ?? at, to: at };
        state = "done";
        break;
      case "undoing":
        if (state === "begun") did = { from: did?.from ?? at, to: at };
        undid = { from: undid?.from ?? at, to: runSeconds };
        if (state !== "failed") state = "undoing";
        break;
      case "undone":
        undid = { from: undid?.from ?? at, to: at };
        if (state !== "failed") state = "undone";
        break;
      case "failed":
        if (undid === undefined) did = { from: did?.from ?? at, to: at };
        else undid = { from: undid.from, to: at };
        state = undid === undefined ? "failed" : "undo-failed";
        break;
    }
  }
  return { state, ...(did === undefined ? {} : { did }), ...(undid === undefined ? {} : { undid }), ...(detail === undefined ? {} : { detail }) };
}

function momentsOf(steps: readonly StepStory[], again: readonly number[]): readonly Moment[] {
  const moments: Moment[] = again.map((at) => ({ at, name: "again" }));
  for (const { id, isDecision, percent, state, did } of steps) {
    if (did === undefined) continue;
    if (percent !== undefined) moments.push({ at: did.from, name: "stage", percent });
    if (id === "switch" && state !== "failed" && state !== "begun") moments.push({ at: did.to, name: "switch" });
    if (isDecision && state === "done") moments.push({ at: did.to, name: "decision" });
  }
  const back = backAt(steps);
  return [...moments, ...(back === undefined ? [] : [{ at: back, name: "back" as const }])].sort((a, b) => a.at - b.at);
}

/** Of the steps that led users somewhere the last one's undo leads all of them back. */
function backAt(steps: readonly StepStory[]): number | undefined {
  const hasStages = steps.some(({ percent }) => percent !== undefined);
  const times = steps.flatMap(({ id, percent, state, undid }) => {
    if (undid === undefined || state === "undoing" || state === "undo-failed") return [];
    if (id === "switch" || percent !== undefined) return [undid.to];
    // After a canary it does so first of all, and waits for jobs then.
    return id === "cron-stop" && hasStages ? [undid.from] : [];
  });
  return times.length === 0 ? undefined : Math.min(...times);
}

const stageSchema = z.object({ percent: z.number() });
