import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { noPaint } from "../../src/cli/describe-run.ts";
import { LiveView } from "../../src/cli/live-view.ts";
import type { MillwrightEvent } from "../../src/kernel/events.ts";
import { runRecordSchema } from "../../src/observe/run-record.ts";
import { FakeClock } from "../fakes/fake-clock.ts";

async function recorded(name: string): Promise<readonly MillwrightEvent[]> {
  return runRecordSchema.parse(JSON.parse(await readFile(`test/golden/report/${name}.json`, "utf8"))).events;
}

/** Whether the view comes to its end, having drawn its last frame; `hangs` when the command would never return. */
async function watch(events: readonly MillwrightEvent[]): Promise<"ends" | "hangs"> {
  const view = new LiveView(noPaint, new FakeClock(), "silent");
  for (const [index, event] of events.entries()) {
    view.emit(event);
    // A link brings some events at once and others apart.
    if (index % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const hanging = new AbortController();
  const hangs = wait(5000, "hangs" as const, { signal: hanging.signal }).catch(() => "hangs" as const);
  const result = await Promise.race([view.close().then(() => "ends" as const), hangs]);
  hanging.abort();
  return result;
}

describe("the live view", () => {
  it.each(["stays", "taken-back", "slow"])("ends with the run: %s", async (name) => {
    expect(await watch(await recorded(name))).toBe("ends");
  });

  it("ends wherever the link is cut", async () => {
    const events = (await recorded("taken-back")).filter(({ kind }) => kind !== "probe" && kind !== "progress");
    for (let length = 0; length <= events.length; length += 1) expect(await watch(events.slice(0, length))).toBe("ends");
  });

  it("ends when a run is taken back between two steps, when a step only reports its failure, and when an undo fails", async () => {
    const [plan] = await recorded("stays");
    const step = (id: string, state: "begun" | "done" | "failed" | "undoing" | "undone"): MillwrightEvent => ({
      kind: "step",
      at: plan?.at ?? "",
      id,
      title: id,
      state,
    });
    const ended: MillwrightEvent = { kind: "ended", at: plan?.at ?? "", run: "r", outcome: "undone", summary: "" };
    if (plan === undefined) throw new Error("nothing was recorded");
    const between = [plan, step("up", "begun"), step("up", "done"), step("up", "undoing"), step("up", "undone"), ended];
    const reported = [plan, step("drain", "begun"), step("drain", "failed"), step("retire", "begun"), step("retire", "done"), ended];
    const undoFailed = [plan, step("up", "begun"), step("up", "done"), step("up", "undoing"), step("up", "failed"), ended];
    for (const events of [between, reported, undoFailed]) expect(await watch(events)).toBe("ends");
  });
});
