import type { MillwrightEvent } from "../kernel/events.ts";

type EventOf<Kind extends MillwrightEvent["kind"]> = Extract<MillwrightEvent, { kind: Kind }>;
export type Colour = EventOf<"probe">["colour"];

export interface StepView {
  readonly id: string;
  readonly title: string;
  /** How far it got going forward. */
  readonly state: "waiting" | "begun" | "done" | "failed";
  readonly undo?: "undoing" | "undone" | "failed";
  readonly detail?: string;
}

/** Of the colour that was asked last: what each probe said last. */
interface ProbesView {
  readonly colour: Colour;
  readonly last: ReadonlyMap<string, EventOf<"probe">>;
  readonly failures: number;
}

/** What can be seen of a run by its events so far. */
export interface RunView {
  readonly plan?: EventOf<"plan">;
  readonly steps: readonly StepView[];
  /** Ids of steps in the order in which they are taken back. */
  readonly undos: readonly string[];
  readonly probes?: ProbesView;
  readonly traffic?: EventOf<"traffic">;
  /** While the run waits in its preview. */
  readonly preview?: EventOf<"preview">;
  /** How far the step under way is, and when that was heard. */
  readonly progress?: EventOf<"progress"> & { readonly heard: number };
  /** The last note of the step under way. */
  readonly note?: EventOf<"note">;
  readonly ended?: EventOf<"ended">;
}

export const NOTHING_SEEN: RunView = { steps: [], undos: [] };

/** The view after one more event, heard at `now`. Pure. */
export function advance(view: RunView, event: MillwrightEvent, now: number): RunView {
  switch (event.kind) {
    case "plan": {
      // A run that is taken up again tells its plan anew; what its steps have done stands.
      const known = new Map(view.steps.map((step) => [step.id, step]));
      return { ...view, plan: event, steps: event.steps.map(({ id, title }) => known.get(id) ?? { id, title, state: "waiting" }) };
    }
    case "step":
      return advanceStep(view, event);
    case "probe":
      return { ...view, probes: advanceProbes(view.probes, event) };
    case "traffic":
      return { ...view, traffic: event };
    case "preview":
      return { ...view, preview: event };
    case "progress":
      return { ...view, progress: { ...event, heard: now } };
    case "note":
      return { ...view, note: event };
    case "ended":
      return { ...view, ended: event };
  }
}

function advanceStep(view: RunView, event: EventOf<"step">): RunView {
  const steps = view.steps.map((step) => (step.id === event.id ? stepAfter(step, event) : step));
  const undos = event.state === "undoing" && !view.undos.includes(event.id) ? [...view.undos, event.id] : view.undos;
  const { progress: _progress, note: _note, preview: _preview, ...rest } = view;
  return { ...rest, steps, undos };
}

function stepAfter(step: StepView, { state, detail }: EventOf<"step">): StepView {
  const told = detail === undefined ? {} : { detail };
  switch (state) {
    case "begun":
      return { ...step, state: "begun" };
    case "done":
    case "skipped":
      return { ...step, state: "done", ...told };
    case "undoing":
      return { ...step, undo: "undoing" };
    case "undone":
      return { ...step, undo: "undone" };
    case "failed":
      return step.undo === "undoing" ? { ...step, undo: "failed", ...told } : { ...step, state: "failed", ...told };
  }
}

function advanceProbes(before: ProbesView | undefined, event: EventOf<"probe">): ProbesView {
  const { last, failures } = before?.colour === event.colour ? before : { last: new Map<string, EventOf<"probe">>(), failures: 0 };
  return { colour: event.colour, last: new Map([...last, [event.name, event]]), failures: failures + (event.verdict === "fail" ? 1 : 0) };
}

/** The step under way, going forward or being taken back. */
export function currentStep({ steps, undos }: RunView): StepView | undefined {
  const undoing = steps.find(({ undo }) => undo === "undoing");
  if (undoing !== undefined || undos.length > 0) return undoing;
  return steps.find(({ state }) => state === "begun");
}

/** What a step watches the new release as: `bake`, `canary 10 %`; undefined for any other. */
export function watchName(id: string): string | undefined {
  const percent = percentOf(id);
  return percent === undefined ? (id === "bake" ? id : undefined) : `canary ${percent} %`;
}

/** How many of 100 browsers are led to the new colour, while others are not. */
export function canaryPercent({ steps }: RunView): number | undefined {
  const change = steps.find(({ id }) => id === "switch");
  const stage = steps.findLast((step) => percentOf(step.id) !== undefined && step.state !== "waiting");
  // The first of them that is taken back takes everybody back.
  const isOver = change?.state === "done" || change?.undo !== undefined || stage?.undo !== undefined;
  return stage === undefined || isOver ? undefined : percentOf(stage.id);
}

function percentOf(id: string): number | undefined {
  const percent = /^canary-(\d+)$/.exec(id)?.[1];
  return percent === undefined ? undefined : Number(percent);
}

/** The colour that users are on, by the switch; undefined while nothing serves, and of a run that moves nobody. */
export function usersOn({ plan, steps }: RunView): Colour | undefined {
  if (plan?.swap === undefined) return undefined;
  const change = steps.find(({ id }) => id === "switch");
  const isMoved = change?.state === "done" && change.undo !== "undone";
  return isMoved ? plan.swap.to.colour : plan.swap.from?.colour;
}
