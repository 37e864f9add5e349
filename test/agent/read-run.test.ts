import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { executeRun } from "../../src/agent/execute-run.ts";
import { lastSwapRun, readRun, requireRun, thin } from "../../src/agent/read-run.ts";
import { beginRun } from "../../src/agent/run-store.ts";
import { bindTable, type RunTables } from "../../src/agent/run-table.ts";
import type { Plan } from "../../src/kernel/plan.ts";
import { type RunRecord, runRecordSchema } from "../../src/observe/run-record.ts";
import { type AgentHost, agentHost, keep, planWith } from "./agent-host.ts";

const table = async () => bindTable({ a: { do: async () => ({ summary: "did it" }) }, canary: { do: async () => {} } }, undefined);
const tables: RunTables = { deploy: table, swap: table, rollback: table };

async function carryOut(host: AgentHost, kind: Plan["kind"], plan = planWith([{ id: "a" }], { kind })): Promise<string> {
  await keep(host, plan);
  const run = await beginRun(host.store, { plan: "plan-1", who: "jo", kinds: [kind], basisNow: async () => "basis-1" });
  await executeRun(host.store, tables, new AbortController().signal);
  await host.deps.clock.sleep(1000);
  return run;
}

const read = async (host: AgentHost, run: string): Promise<RunRecord> =>
  runRecordSchema.parse(JSON.parse(JSON.stringify(await readRun(host.store, run, { host: "erp1", engine: undefined, stack: undefined }))));

describe("the record of a run", () => {
  it("holds plan, events, its own journal entries and the journal's head", async () => {
    await using host = await agentHost();
    await carryOut(host, "deploy");
    const run = await carryOut(host, "swap");
    const record = await read(host, run);
    expect(record).toMatchObject({ run, who: "jo", host: "erp1", plan: { kind: "swap" }, leftOut: [], evidence: [], series: [], stages: [] });
    expect(record.events.map(({ kind }) => kind)).toEqual(["plan", "step", "step", "ended"]);
    expect(record.journal.run.map(({ seq, kind }) => [seq, kind])).toEqual([
      [5, "run-begun"],
      [6, "begun"],
      [7, "done"],
      [8, "run-ended"],
    ]);
    expect(record.journal).toMatchObject({ entries: 8, head: record.journal.run.at(-1)?.hash });
  });

  it("holds the evidence and the series that the run has left, and passes over torn lines and events of another version", async () => {
    await using host = await agentHost();
    const run = await carryOut(host, "swap");
    const folder = host.store.paths.run(run);
    await mkdir(`${folder}/evidence`);
    await writeFile(`${folder}/evidence/warm.json`, '{"colour":"green"}');
    await writeFile(`${folder}/evidence/series.jsonl`, '{"kind":"round","seconds":1}\n{"kind":"rou');
    await appendFile(`${folder}/events.jsonl`, '{"kind":"of tomorrow","at":"2026-11-24T02:00:00.000Z"}\n');
    const record = await read(host, run);
    expect(record.evidence).toEqual([{ name: "warm", text: '{"colour":"green"}' }]);
    expect(record.series).toEqual([{ kind: "round", seconds: 1 }]);
    expect(record.events).toHaveLength(4);
  });

  it("holds the series of each stage of a canary that was begun, in the plan's order", async () => {
    await using host = await agentHost();
    const plan = planWith([{ id: "canary-5" }, { id: "canary-20" }, { id: "canary-50" }], { kind: "swap" });
    const run = await carryOut(host, "swap", { ...plan, steps: plan.steps.map((step) => ({ ...step, kind: "canary" })) });
    const folder = host.store.paths.run(run);
    await mkdir(`${folder}/evidence`);
    for (const step of ["canary-20", "canary-5"]) await writeFile(`${folder}/evidence/series-${step}.jsonl`, `{"kind":"round","of":"${step}"}\n`);
    expect((await read(host, run)).stages).toEqual([
      { step: "canary-5", series: [{ kind: "round", of: "canary-5" }] },
      { step: "canary-20", series: [{ kind: "round", of: "canary-20" }] },
    ]);
  });

  it("holds of a series that is too long what it is of, and its end", async () => {
    await using host = await agentHost();
    const run = await carryOut(host, "swap");
    const folder = host.store.paths.run(run);
    await mkdir(`${folder}/evidence`);
    const rounds = Array.from({ length: 5000 }, (_, round) => JSON.stringify({ kind: "round", round, detail: "x".repeat(1000) }));
    await writeFile(`${folder}/evidence/series.jsonl`, ['{"kind":"begun","colour":"green"}', ...rounds, ""].join("\n"));
    const record = await read(host, run);
    expect(record.series[0]).toEqual({ kind: "begun", colour: "green" });
    expect(record.series.at(-1)).toMatchObject({ round: 4999 });
    expect(record.leftOut[0]).toMatch(/^\d+ bytes of the rounds in series$/);
  });

  it("is bounded, and says what it leaves out", async () => {
    await using host = await agentHost();
    const run = await carryOut(host, "swap");
    const folder = host.store.paths.run(run);
    await mkdir(`${folder}/evidence`);
    await writeFile(`${folder}/evidence/log.json`, "x".repeat(300_000));
    const probe = { kind: "probe", at: "2026-11-24T02:00:00.000Z", colour: "green", name: "login", verdict: "pass", detail: "200", milliseconds: 5 };
    const lines = Array.from({ length: 9000 }, (_, index) => JSON.stringify({ ...probe, milliseconds: index, verdict: index === 4321 ? "fail" : "pass" }));
    await appendFile(`${folder}/events.jsonl`, `${lines.join("\n")}\n`);
    await writeFile(`${folder}/evidence/series.jsonl`, Array.from({ length: 4000 }, (_, round) => `{"kind":"round","round":${round}}\n`).join(""));
    const record = await read(host, run);
    expect(JSON.stringify(record).length).toBeLessThan(1_500_000);
    expect(record.events.filter((event) => event.kind === "probe" && event.verdict === "fail")).toHaveLength(1);
    expect(record.series.at(-1)).toEqual({ kind: "round", round: 3999 });
    expect(record.leftOut.toSorted()).toEqual([
      "2500 of 4000 rounds of series",
      "5999 of 8999 events of probes that passed, traffic and progress",
      "the end of evidence/log.json, which has 300000 bytes",
    ]);
  });

  it("is given of a journal that does not hold together too, and says so", async () => {
    await using host = await agentHost();
    const run = await carryOut(host, "swap");
    await appendFile(host.store.paths.journal, "{}\n");
    expect((await read(host, run)).journal).toMatchObject({ run: [], problem: expect.stringContaining("Line 5 of the journal") as string });
  });

  it("finds the entries of a run that is long ago", async () => {
    await using host = await agentHost();
    const run = await carryOut(host, "swap");
    for (let index = 0; index < 12; index += 1) {
      await keep(host, planWith([{ id: "a" }], { purpose: "x".repeat(20_000) }));
      await beginRun(host.store, { plan: "plan-1", who: "jo", kinds: ["deploy"], basisNow: async () => "basis-1" });
      await executeRun(host.store, tables, new AbortController().signal);
    }
    expect((await read(host, run)).journal.run).toHaveLength(4);
  });
});

describe("the run that a report is about", () => {
  it("is the last swap or rollback when none is named, whatever came after it", async () => {
    await using host = await agentHost();
    await carryOut(host, "swap");
    const rollback = await carryOut(host, "rollback");
    await carryOut(host, "deploy");
    expect(await lastSwapRun(host.store)).toBe(rollback);
  });

  it("must be one that the host keeps", async () => {
    await using host = await agentHost();
    const run = await carryOut(host, "deploy");
    expect(await requireRun(host.store, run)).toBe(run);
    await expect(requireRun(host.store, "20200101-000000-0000")).rejects.toMatchObject({
      code: "RUN_UNKNOWN",
      hint: expect.stringContaining("history") as string,
    });
    await expect(lastSwapRun(host.store)).rejects.toMatchObject({ code: "NO_RUN" });
  });
});

describe("thinning", () => {
  it("keeps what is rare, and of what is many the first, the last and those at even distances", () => {
    const leftOut: string[] = [];
    const items = Array.from({ length: 101 }, (_, index) => index);
    expect(thin(items, (item) => item !== 37, 5, "numbers", leftOut)).toEqual([0, 25, 37, 51, 75, 100]);
    expect(leftOut).toEqual(["95 of 100 numbers"]);
  });
});
