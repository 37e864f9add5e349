import { appendFile, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { endedInJournal, executeRun, RUN_EXIT } from "../../src/agent/execute-run.ts";
import { verifyJournal } from "../../src/agent/journal-file.ts";
import { parseEventLine } from "../../src/agent/run-events.ts";
import { readLock, takeLock } from "../../src/agent/run-lock.ts";
import { beginRun, listRuns, markAbort, savePlan } from "../../src/agent/run-store.ts";
import { bindTable, type RunTables } from "../../src/agent/run-table.ts";
import { readTrouble } from "../../src/agent/run-trouble.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import type { MillwrightEvent } from "../../src/kernel/events.ts";
import type { StepTable } from "../../src/kernel/run-plan.ts";
import { type AgentHost, agentHost, keep, planWith } from "./agent-host.ts";

const basisNow = async (): Promise<string> => "basis-1";

async function begin(host: AgentHost, plan = planWith([{ id: "a" }, { id: "b", decision: true }])): Promise<string> {
  await keep(host, plan);
  return await beginRun(host.store, { plan: plan.id, who: "jo", kinds: ["deploy"], basisNow });
}

const tablesOf = (table: StepTable<string[]>, context: string[] = []): RunTables => ({ deploy: async () => bindTable(table, context) });

/** Steps that write down what they do. */
function recorder(more: StepTable<string[]> = {}): { readonly log: string[]; readonly tables: RunTables } {
  const log: string[] = [];
  const step = (id: string): StepTable<string[]>[string] => ({
    do: async (context) => ({ did: context.push(id) }),
    undo: async (context) => void context.push(`undo ${id}`),
  });
  return { log, tables: tablesOf({ a: step("a"), b: step("b"), ...more }, log) };
}

const never = new AbortController().signal;

async function eventsOf(host: AgentHost, run: string): Promise<MillwrightEvent[]> {
  const text = await readFile(`${host.store.paths.run(run)}/events.jsonl`, "utf8");
  return text.split("\n").flatMap((line) => parseEventLine(line) ?? []);
}

describe("beginning a run", () => {
  it("refuses a plan when the host has changed since, and leaves no trace", async () => {
    await using host = await agentHost();
    await keep(host, planWith([{ id: "a" }]));
    const stale = beginRun(host.store, { plan: "plan-1", who: "jo", kinds: ["deploy"], basisNow: async () => "another" });
    await expect(stale).rejects.toMatchObject({ code: "PLAN_STALE" });
    expect([await readLock(host.store.paths), await listRuns(host.store.paths)]).toEqual([undefined, []]);
  });

  it("refuses a plan that the host does not have, and one of another kind", async () => {
    await using host = await agentHost();
    await keep(host, planWith([{ id: "a" }]));
    await expect(beginRun(host.store, { plan: "plan-2", who: "jo", kinds: ["deploy"], basisNow })).rejects.toMatchObject({ code: "PLAN_UNKNOWN" });
    await expect(beginRun(host.store, { plan: "plan-1", who: "jo", kinds: ["swap"], basisNow })).rejects.toMatchObject({ code: "PLAN_UNKNOWN" });
  });

  it("is refused while another run is open, and says who, since when and why", async () => {
    await using host = await agentHost();
    await begin(host);
    const second = beginRun(host.store, { plan: "plan-1", who: "al", kinds: ["deploy"], basisNow });
    await expect(second).rejects.toMatchObject({ code: "LOCK_HELD", exit: 5, message: "jo has been at it since 2026-11-24T02:00:00.000Z: Try it." });
  });

  it("points out a lock that is overdue, and does not take it over", async () => {
    await using host = await agentHost();
    await begin(host);
    await host.deps.clock.sleep(3 * 60 * 60 * 1000);
    const second = beginRun(host.store, { plan: "plan-1", who: "al", kinds: ["deploy"], basisNow });
    await expect(second).rejects.toMatchObject({ code: "LOCK_HELD", hint: expect.stringContaining("millwright resume") });
  });

  it("gives a run that waits for a person, or watches for long, as much longer before it counts as overdue", async () => {
    await using host = await agentHost();
    const now = host.deps.clock.now();
    await keep(host, planWith([{ id: "a" }, { id: "b", waitSeconds: 7200 }, { id: "c", watchSeconds: 3600 }]));
    await beginRun(host.store, { plan: "plan-1", who: "jo", kinds: ["deploy"], basisNow });
    expect(Date.parse((await readLock(host.store.paths))?.expires ?? "") - now).toBe(5 * 60 * 60 * 1000);
  });

  it("takes over a lock whose run has ended in the journal", async () => {
    await using host = await agentHost();
    const first = await begin(host);
    const lock = await readLock(host.store.paths);
    await executeRun(host.store, recorder().tables, never);
    if (lock !== undefined) await takeLock(host.store.paths, lock);
    const second = await beginRun(host.store, { plan: "plan-1", who: "al", kinds: ["deploy"], basisNow });
    expect(second).not.toBe(first);
    expect((await readLock(host.store.paths))?.run).toBe(second);
  });

  it("never gives a run the name of another", async () => {
    await using host = await agentHost();
    await keep(host, planWith([{ id: "a" }]));
    const numbers = [1, 1, 1, 2];
    const store = { ...host.store, random: () => Buffer.from([0, numbers.shift() ?? 9]), clock: { now: () => 0, sleep: async () => {} } };
    const first = await beginRun(store, { plan: "plan-1", who: "jo", kinds: ["deploy"], basisNow });
    await executeRun(store, recorder().tables, never);
    const second = await beginRun(store, { plan: "plan-1", who: "jo", kinds: ["deploy"], basisNow });
    expect([first, second]).toEqual(["19700101-000000-0001", "19700101-000000-0002"]);
  });

  it("gives the stack to one of many who begin at the same time", async () => {
    await using host = await agentHost();
    await keep(host, planWith([{ id: "a" }]));
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => beginRun(host.store, { plan: "plan-1", who: "jo", kinds: ["deploy"], basisNow })));
    expect(tries.filter((one) => one.status === "fulfilled")).toHaveLength(1);
    for (const one of tries) if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "LOCK_HELD" });
  });

  it("keeps plans that are made at the same time, and counts no half-written file among them", async () => {
    await using host = await agentHost();
    await Promise.all(Array.from({ length: 60 }, (_, index) => savePlan(host.store, planWith([{ id: "a" }], { id: `plan-${index}` }))));
    const names = await readdir(`${host.store.paths.state}/plans`);
    expect(names.filter((name) => !/^plan-\d+\.json$/.test(name))).toEqual([]);
    expect(names.length).toBeGreaterThanOrEqual(20);
  });

  it("keeps the last twenty plans", async () => {
    await using host = await agentHost();
    for (let index = 0; index < 23; index += 1) await savePlan(host.store, planWith([{ id: "a" }], { id: `plan-${index}` }));
    expect(await readdir(`${host.store.paths.state}/plans`)).toHaveLength(20);
  });
});

describe("a run on the host", () => {
  it("does the plan's steps, journals its end, tells it, and frees the lock", async () => {
    await using host = await agentHost();
    const run = await begin(host);
    const { log, tables } = recorder();
    expect(await executeRun(host.store, tables, never)).toBe(RUN_EXIT.ended);
    expect(log).toEqual(["a", "b"]);
    const { entries } = await verifyJournal(host.store.paths.journal);
    expect(entries.map((entry) => entry.kind)).toEqual(["run-begun", "begun", "done", "begun", "done", "run-ended"]);
    expect((await eventsOf(host, run)).at(-1)).toMatchObject({ kind: "ended", outcome: "done", summary: "Try it" });
    expect(await readLock(host.store.paths)).toBeUndefined();
  });

  it("leaves the journal's head with the host's metrics, before its end is told", async () => {
    await using host = await agentHost();
    await mkdir(host.store.paths.metrics, { recursive: true });
    await begin(host);
    await executeRun(host.store, recorder().tables, never);
    const { head } = await verifyJournal(host.store.paths.journal);
    expect(await readFile(`${host.store.paths.metrics}/millwright.prom`, "utf8")).toContain(`millwright_journal_head_info{head="${head}"} 1\n`);
    expect((await stat(`${host.store.paths.metrics}/millwright.prom`)).mode & 0o777).toBe(0o644);
  });

  it("makes no folder for metrics that nobody reads", async () => {
    await using host = await agentHost();
    await begin(host);
    await executeRun(host.store, recorder().tables, never);
    await expect(stat(host.store.paths.metrics)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("ends as it would when its metrics cannot be written, and says so", async () => {
    await using host = await agentHost();
    await mkdir(`${host.store.paths.metrics}/millwright.prom/in-the-way`, { recursive: true });
    const run = await begin(host);
    expect(await executeRun(host.store, recorder().tables, never)).toBe(RUN_EXIT.ended);
    expect((await eventsOf(host, run)).slice(-2)).toMatchObject([
      { kind: "note", level: "warning", text: expect.stringContaining("metrics of this run could not be written") as string },
      { kind: "ended", outcome: "done" },
    ]);
  });

  it("has nothing to do without a lock", async () => {
    await using host = await agentHost();
    expect(await executeRun(host.store, {}, never)).toBe(RUN_EXIT.ended);
  });

  it.runIf(process.platform === "linux")("is done, as its journal says, when a full disk takes not one of its events", async () => {
    await using host = await agentHost();
    const run = await begin(host);
    await symlink("/dev/full", `${host.store.paths.run(run)}/events.jsonl`);
    const { log, tables } = recorder();
    expect(await executeRun(host.store, tables, never)).toBe(RUN_EXIT.ended);
    expect(log).toEqual(["a", "b"]);
    expect(endedInJournal((await verifyJournal(host.store.paths.journal)).entries)).toMatchObject({ outcome: "done" });
  });

  it("tells its plan first", async () => {
    await using host = await agentHost();
    const run = await begin(host);
    await executeRun(host.store, recorder().tables, never);
    expect((await eventsOf(host, run))[0]).toMatchObject({ kind: "plan", run, who: "jo", steps: [{ id: "a", title: "Do a" }, { id: "b" }] });
  });

  it("ends as undone, with the error, when a step fails", async () => {
    await using host = await agentHost();
    const run = await begin(host);
    const { log, tables } = recorder({ b: { do: () => Promise.reject(new MillwrightError("SERVICE_UNHEALTHY", "database is ill", { hint: "see logs" })) } });
    expect(await executeRun(host.store, tables, never)).toBe(RUN_EXIT.ended);
    expect(log).toEqual(["a", "undo a"]);
    expect((await eventsOf(host, run)).at(-1)).toMatchObject({ outcome: "undone", error: { code: "SERVICE_UNHEALTHY", hint: "see logs" } });
  });

  it("keeps the lock and asks for a person when an undo fails, and ends when it is started again", async () => {
    await using host = await agentHost();
    const run = await begin(host);
    let isStuck = true;
    const { tables } = recorder({
      b: {
        do: () => Promise.reject(new Error("broken")),
        undo: async () => {
          if (isStuck) throw new Error("stuck");
        },
      },
    });
    expect(await executeRun(host.store, tables, never)).toBe(RUN_EXIT.failed);
    expect((await eventsOf(host, run)).at(-1)).toMatchObject({ outcome: "failed", error: { code: "UNDO_FAILED" } });
    expect((await readLock(host.store.paths))?.run).toBe(run);
    isStuck = false;
    expect(await executeRun(host.store, tables, never)).toBe(RUN_EXIT.ended);
    expect((await eventsOf(host, run)).at(-1)).toMatchObject({ outcome: "undone" });
  });

  it("stops with 143 and without a word in the journal when it is told to stop, and goes on at the next start", async () => {
    await using host = await agentHost();
    await begin(host);
    const stop = new AbortController();
    let isFirst = true;
    const { log, tables } = recorder({
      c: {
        do: async (context, _, run) => {
          if (isFirst) stop.abort(new MillwrightError("INTERRUPTED", "reboot"));
          isFirst = false;
          run.signal.throwIfAborted();
          context.push("c");
        },
      },
    });
    await rm(host.store.paths.lock);
    await begin(host, planWith([{ id: "a" }, { id: "b", decision: true }, { id: "c" }]));
    expect(await executeRun(host.store, tables, stop.signal)).toBe(RUN_EXIT.stopped);
    expect((await verifyJournal(host.store.paths.journal)).entries.at(-1)).toMatchObject({ kind: "begun", step: "c" });
    expect(await executeRun(host.store, tables, never)).toBe(RUN_EXIT.ended);
    expect(log).toEqual(["a", "b", "c"]);
  });

  it("is undone when a person aborts it while a step waits", async () => {
    await using host = await agentHost();
    const run = await begin(host);
    const { log, tables } = recorder({
      b: {
        do: async (_, __, view) => {
          await markAbort(host.store.paths, run, "al");
          await systemClock.sleep(10_000, view.signal);
        },
      },
    });
    await executeRun(host.store, tables, never);
    expect(log).toEqual(["a", "undo a"]);
    expect((await eventsOf(host, run)).at(-1)).toMatchObject({ outcome: "undone", error: { code: "ABORTED", message: "The run was aborted by al." } });
  });

  it("is undone at once when it was aborted while nothing ran", async () => {
    await using host = await agentHost();
    const run = await begin(host);
    await markAbort(host.store.paths, run, "al");
    const { log, tables } = recorder();
    await executeRun(host.store, tables, never);
    expect(log).toEqual([]);
    expect((await eventsOf(host, run)).at(-1)).toMatchObject({ outcome: "undone", error: { code: "ABORTED" } });
  });

  it("tells the end and frees the lock when it was cut off after its last journal line", async () => {
    await using host = await agentHost();
    const run = await begin(host);
    const lock = await readLock(host.store.paths);
    const { log, tables } = recorder();
    await executeRun(host.store, tables, never);
    if (lock !== undefined) await takeLock(host.store.paths, lock);
    const path = `${host.store.paths.run(run)}/events.jsonl`;
    await writeFile(path, (await readFile(path, "utf8")).split("\n").slice(0, -2).join("\n") + '\n{"kind":"en');
    expect(await executeRun(host.store, tables, never)).toBe(RUN_EXIT.ended);
    expect(log).toEqual(["a", "b"]);
    expect((await eventsOf(host, run)).at(-1)).toMatchObject({ kind: "ended", outcome: "done" });
    expect(await readLock(host.store.paths)).toBeUndefined();
  });

  it("ends as undone when its code cannot be made and nothing was done yet", async () => {
    await using host = await agentHost();
    const run = await begin(host);
    const tables: RunTables = { deploy: () => Promise.reject(new MillwrightError("SITE_INVALID", "no such stack")) };
    expect(await executeRun(host.store, tables, never)).toBe(RUN_EXIT.ended);
    expect((await eventsOf(host, run)).at(-1)).toMatchObject({ outcome: "undone", error: { code: "SITE_INVALID" } });
  });

  it("tells a broken journal as a failed end, for a person to look at", async () => {
    await using host = await agentHost();
    const run = await begin(host);
    await appendFile(host.store.paths.journal, "{}\n");
    await expect(executeRun(host.store, recorder().tables, never)).rejects.toMatchObject({ code: "JOURNAL_BROKEN", exit: RUN_EXIT.failed });
    expect((await eventsOf(host, run)).at(-1)).toMatchObject({ kind: "ended", outcome: "failed", error: { code: "JOURNAL_BROKEN" } });
    expect((await readLock(host.store.paths))?.run).toBe(run);
  });

  it("waits for a person, and is not tried again and again, when its plan cannot be read", async () => {
    await using host = await agentHost();
    const run = await begin(host);
    await writeFile(`${host.store.paths.run(run)}/plan.json`, "{");
    expect(await executeRun(host.store, recorder().tables, never)).toBe(RUN_EXIT.failed);
    expect((await eventsOf(host, run)).at(-1)).toMatchObject({ kind: "ended", outcome: "failed", error: { code: "STATE_DAMAGED" } });
  });

  it("is tried again and notes why it could not go on, for as long as it cannot", async () => {
    await using host = await agentHost();
    const run = await begin(host, planWith([{ id: "a", decision: true }, { id: "b" }]));
    const { paths } = host.store;
    const { log, tables } = recorder();
    const stop = new AbortController();
    const powerCut = async (): Promise<void> => {
      stop.abort(new Error("power cut"));
      throw stop.signal.reason;
    };
    const cutOff: RunTables = { deploy: async () => bindTable({ a: { do: async () => {} }, b: { do: powerCut } }, undefined) };
    await executeRun(host.store, cutOff, stop.signal);
    expect(await readTrouble(paths, run)).toBeUndefined();
    const locked: RunTables = { deploy: () => Promise.reject(new MillwrightError("VAULT_LOCKED", "The vault does not open.")) };
    for (const times of [1, 2, 3]) {
      await expect(executeRun(host.store, locked, never)).rejects.toMatchObject({ code: "VAULT_LOCKED" });
      expect(await readTrouble(paths, run)).toMatchObject({ times, code: "VAULT_LOCKED", message: "The vault does not open." });
    }
    expect(await executeRun(host.store, tables, never)).toBe(RUN_EXIT.ended);
    expect(log).toEqual(["b"]);
    expect(await readTrouble(paths, run)).toBeUndefined();
  });

  it("notes a plan that cannot be read as the trouble that it is", async () => {
    await using host = await agentHost();
    const run = await begin(host);
    await writeFile(`${host.store.paths.run(run)}/plan.json`, "{");
    await executeRun(host.store, recorder().tables, never);
    expect(await readTrouble(host.store.paths, run)).toMatchObject({ times: 1, code: "STATE_DAMAGED" });
  });

  it("reports what came of it in the room's words, and does not lose its end when those fail", async () => {
    await using host = await agentHost();
    const step = { do: async () => ({ seconds: 7 }) };
    const make = (report: () => { summary: string; result: Record<string, unknown> }): RunTables => ({
      deploy: async () =>
        bindTable({ a: step, b: step }, undefined, (outcome, resultOf) => ({
          ...report(),
          result: { outcome: outcome.outcome, seconds: resultOf("a")?.["seconds"] },
        })),
    });
    const first = await begin(host);
    await executeRun(
      host.store,
      make(() => ({ summary: "All well", result: {} })),
      never,
    );
    expect((await eventsOf(host, first)).at(-1)).toMatchObject({ summary: "All well", result: { outcome: "done", seconds: 7 } });
    const second = await begin(host);
    const broken = make(() => {
      throw new Error("no words");
    });
    expect(await executeRun(host.store, broken, never)).toBe(RUN_EXIT.ended);
    expect((await eventsOf(host, second)).at(-1)).toMatchObject({ outcome: "done", summary: "Try it" });
  });

  it("keeps the last fifty runs", async () => {
    await using host = await agentHost();
    let last = "";
    for (let index = 0; index < 53; index += 1) {
      last = await begin(host, planWith([]));
      await executeRun(host.store, recorder().tables, never);
      await host.deps.clock.sleep(1000);
    }
    const runs = await listRuns(host.store.paths);
    expect([runs.length, runs.at(-1)]).toEqual([50, last]);
  });

  it("keeps what it writes to itself", async () => {
    await using host = await agentHost();
    const run = await begin(host);
    await executeRun(host.store, recorder().tables, never);
    const { paths } = host.store;
    for (const file of [paths.journal, `${paths.run(run)}/plan.json`, `${paths.run(run)}/events.jsonl`]) expect((await stat(file)).mode & 0o077).toBe(0);
  });

  it("holds its whole end in the journal", async () => {
    await using host = await agentHost();
    const run = await begin(host);
    await executeRun(host.store, recorder().tables, never);
    const { entries } = await verifyJournal(host.store.paths.journal);
    expect(endedInJournal(entries)).toEqual((await eventsOf(host, run)).at(-1));
  });
});
