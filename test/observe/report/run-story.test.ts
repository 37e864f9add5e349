import { describe, expect, it } from "vitest";
import type { MillwrightEvent } from "../../../src/kernel/events.ts";
import { planSchema } from "../../../src/kernel/plan.ts";
import { type RunStory, tellRun } from "../../../src/observe/report/run-story.ts";
import { type RunRecord, runRecordSchema } from "../../../src/observe/run-record.ts";

const at = (second: number): string => new Date(Date.parse("2026-11-24T02:00:00.000Z") + second * 1000).toISOString();
type State = Extract<MillwrightEvent, { kind: "step" }>["state"];
const step = (second: number, id: string, state: State, detail?: string): MillwrightEvent => ({
  kind: "step",
  at: at(second),
  id,
  title: id,
  state,
  ...(detail === undefined ? {} : { detail }),
});
const ended = (second: number, outcome: "done" | "undone" | "failed"): MillwrightEvent => ({
  kind: "ended",
  at: at(second),
  run: "r",
  outcome,
  summary: outcome,
});
const begun: MillwrightEvent = { kind: "plan", at: at(0), run: "r", purpose: "Swap", who: "jo", steps: [] };

function record(events: readonly MillwrightEvent[]): RunRecord {
  const steps = ["up", "switch", "front", "bake"].map((id) => ({ id, kind: id, title: `Do ${id}`, cause: `because of ${id}`, decision: id === "front" }));
  return runRecordSchema.parse({
    version: 1,
    at: at(100),
    host: "erp1",
    run: "r",
    who: "jo",
    agent: "0.1.0",
    plan: { version: 1, id: "p", stack: "acme-production", kind: "swap", purpose: "Swap", basis: "b", steps },
    events,
    journal: { entries: 1, head: "ab", run: [] },
    evidence: [],
    series: [],
    leftOut: [],
  });
}

const told = (...events: readonly MillwrightEvent[]): RunStory => tellRun(record([begun, ...events]));
const states = (story: RunStory): readonly string[] => story.steps.map(({ id, state }) => `${id} ${state}`);

describe("the story of a run", () => {
  it("has each step with its span, and the moments of switch and decision", () => {
    const story = told(
      step(1, "up", "begun"),
      step(6, "up", "done", "after 5 s"),
      step(6, "switch", "begun"),
      step(6.5, "switch", "done"),
      step(6.5, "front", "begun"),
      step(7, "front", "done"),
      step(7, "bake", "begun"),
      step(67, "bake", "done"),
      ended(67, "done"),
    );
    expect(story).toMatchObject({ outcome: "done", seconds: 67, began: at(0) });
    expect(story.steps[0]).toMatchObject({ did: { from: 1, to: 6 }, detail: "after 5 s", state: "done" });
    expect(story.moments).toEqual([
      { at: 6.5, name: "switch" },
      { at: 7, name: "decision" },
    ]);
  });

  it("tells what failed apart from what was undone because of it, and when users were back", () => {
    const story = told(
      step(1, "up", "begun"),
      step(2, "up", "done"),
      step(2, "switch", "begun"),
      step(3, "switch", "done"),
      step(3, "bake", "begun"),
      step(9, "bake", "failed", "too many errors"),
      step(9, "switch", "undoing"),
      step(9.2, "switch", "undone"),
      step(9.2, "up", "undoing"),
      step(11, "up", "undone"),
      ended(11, "undone"),
    );
    expect(states(story)).toEqual(["up undone", "switch undone", "front waiting", "bake failed"]);
    expect(story.steps[0]).toMatchObject({ did: { from: 1, to: 2 }, undid: { from: 9.2, to: 11 } });
    expect(story.steps[3]?.detail).toBe("too many errors");
    expect(story.moments).toEqual([
      { at: 3, name: "switch" },
      { at: 9.2, name: "back" },
    ]);
  });

  it("keeps a step that failed as failed when it is undone too, and names an undo that failed", () => {
    const story = told(
      step(1, "up", "begun"),
      step(2, "up", "done"),
      step(2, "switch", "begun"),
      step(3, "switch", "failed", "no answer"),
      step(3, "switch", "undoing"),
      step(4, "switch", "undone"),
      step(4, "up", "undoing"),
      step(6, "up", "failed", "docker is down"),
      ended(6, "failed"),
    );
    expect(states(story)).toEqual(["up undo-failed", "switch failed", "front waiting", "bake waiting"]);
    expect(story.steps[0]).toMatchObject({ did: { from: 1, to: 2 }, undid: { from: 4, to: 6 }, detail: "docker is down" });
    expect(story.steps[1]).toMatchObject({ did: { from: 2, to: 3 }, undid: { from: 3, to: 4 } });
  });

  it("goes on after a cut, and says when", () => {
    const story = told(step(1, "up", "begun"), { ...begun, at: at(8) }, step(8, "up", "undoing"), step(9, "up", "undone"), ended(9, "undone"));
    expect(story.steps[0]).toMatchObject({ state: "undone", did: { from: 1, to: 8 }, undid: { from: 8, to: 9 } });
    expect(story.moments).toEqual([{ at: 8, name: "again" }]);
  });

  it("of a canary has when each share of the browsers was led, and when all of them were back", () => {
    const canary = [
      { id: "canary-10", kind: "canary", title: "10", cause: "few", params: { percent: 10, before: 0 } },
      { id: "canary-50", kind: "canary", title: "50", cause: "more", params: { percent: 50, before: 10 } },
      { id: "cron-stop", kind: "cron-stop", title: "jobs", cause: "jobs" },
    ];
    const stage = (from: number, to: number, id: string, state: State): readonly MillwrightEvent[] => [step(from, id, "begun"), step(to, id, state)];
    const back = (from: number, to: number, id: string): readonly MillwrightEvent[] => [step(from, id, "undoing"), step(to, id, "undone")];
    const shares = (...events: readonly MillwrightEvent[]) =>
      tellRun({ ...record([begun, ...events]), plan: planSchema.parse({ ...record([]).plan, steps: canary }) }).moments;
    const led = [
      { at: 1, name: "stage", percent: 10 },
      { at: 20, name: "stage", percent: 50 },
    ];
    const lost = [...stage(1, 20, "canary-10", "done"), ...stage(20, 33, "canary-50", "failed")];
    expect(shares(...lost, ...back(33, 34, "canary-50"), ...back(34, 36, "canary-10"))).toEqual([...led, { at: 34, name: "back" }]);
    // Users are led back before the job is waited for that keeps the undo so long.
    const held = [...stage(1, 20, "canary-10", "done"), ...stage(20, 40, "canary-50", "done"), ...stage(40, 41, "cron-stop", "done")];
    expect(shares(...held, ...back(90, 200, "cron-stop"), ...back(200, 201, "canary-50"))).toEqual([...led, { at: 90, name: "back" }]);
  });

  it("is open while the run has not ended", () => {
    const story = told(step(1, "up", "begun"), step(4, "up", "done"), step(4, "switch", "begun"), { kind: "note", at: at(6), level: "info", text: "waiting" });
    expect(story).toMatchObject({ outcome: "open", seconds: 6 });
    expect(story.steps[1]).toMatchObject({ state: "begun", did: { from: 4, to: 6 } });
  });

  it("is told of a run without any events, from its plan alone", () => {
    expect(states(tellRun(record([])))).toEqual(["up waiting", "switch waiting", "front waiting", "bake waiting"]);
  });
});
