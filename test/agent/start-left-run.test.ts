import { describe, expect, it } from "vitest";
import { RUN_EXIT } from "../../src/agent/execute-run.ts";
import { readLock } from "../../src/agent/run-lock.ts";
import { beginRun } from "../../src/agent/run-store.ts";
import { bindTable, type RunTables } from "../../src/agent/run-table.ts";
import { startLeftRun } from "../../src/agent/start-left-run.ts";
import { type AgentHost, agentHost, keep, planWith, STACK } from "./agent-host.ts";

const HALF_AN_HOUR = 30 * 60_000;
const steps = (code: () => Promise<void>): RunTables => ({ deploy: async () => bindTable({ a: { do: code, undo: code } }, undefined) });
const good = steps(async () => {});

/** Takes the lock and dies. */
async function left(host: AgentHost): Promise<string> {
  const { id } = await keep(host, planWith([{ id: "a" }]));
  const run = await beginRun(host.store, { plan: id, who: "schedule", kinds: ["deploy"], basisNow: async () => "basis-1" });
  host.tables = good;
  return run;
}

describe("a run that holds the lock", () => {
  it("is started by the next look of the schedule when what took the lock died before it started the unit", async () => {
    await using host = await agentHost();
    const run = await left(host);
    await host.deps.clock.sleep(HALF_AN_HOUR);
    expect(await startLeftRun(host.deps, STACK)).toBe(run);
    expect(await host.ended()).toBe(RUN_EXIT.ended);
    expect(await readLock(host.store.paths)).toBeUndefined();
    expect(await startLeftRun(host.deps, STACK)).toBeUndefined();
  });

  it("is left to who has just taken the lock, who would cut it off by starting it", async () => {
    await using host = await agentHost();
    await left(host);
    expect(await startLeftRun(host.deps, STACK)).toBeUndefined();
    expect(host.commands).toEqual([]);
  });

  it("is left to systemd while that is about to start it", async () => {
    await using host = await agentHost();
    await left(host);
    host.isWaiting = true;
    await host.deps.clock.sleep(HALF_AN_HOUR);
    expect(await startLeftRun(host.deps, STACK)).toBeUndefined();
    expect(host.commands.filter((words) => !words.includes("show"))).toEqual([]);
  });

  it("is left to a person once it has begun: one that could not be undone, or was stopped by hand", async () => {
    await using host = await agentHost();
    await left(host);
    host.tables = steps(() => Promise.reject(new Error("broken")));
    await host.deps.shell.run(["systemctl", "start"]);
    expect(await host.ended()).toBe(RUN_EXIT.failed);
    await host.deps.clock.sleep(HALF_AN_HOUR);
    host.commands.length = 0;
    expect(await startLeftRun(host.deps, STACK)).toBeUndefined();
    expect(host.commands).toEqual([]);
  });
});
