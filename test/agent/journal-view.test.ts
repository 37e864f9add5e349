import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { executeRun } from "../../src/agent/execute-run.ts";
import { journalView } from "../../src/agent/journal-view.ts";
import { beginRun } from "../../src/agent/run-store.ts";
import { bindTable, type RunTables } from "../../src/agent/run-table.ts";
import { type AgentHost, agentHost, keep, planWith } from "./agent-host.ts";

const tables: RunTables = { deploy: async () => bindTable({ a: { do: async () => ({ note: "x".repeat(1000) }) } }, undefined) };

async function runs(host: AgentHost, count: number): Promise<void> {
  await keep(host, planWith([{ id: "a" }]));
  for (let index = 0; index < count; index += 1) {
    await beginRun(host.store, { plan: "plan-1", who: "jo", kinds: ["deploy"], basisNow: async () => "basis-1" });
    await executeRun(host.store, tables, new AbortController().signal);
  }
}

describe("the journal for a status", () => {
  it("tells the last runs, newest first, with the number and hash of the last entry", async () => {
    await using host = await agentHost();
    await runs(host, 2);
    const { runs: told, entries, head, problem } = await journalView(host.store.paths);
    expect([told.length, entries, problem]).toEqual([2, 8, undefined]);
    expect(told[0]).toMatchObject({ kind: "deploy", outcome: "done", who: "jo" });
    expect(await readFile(host.store.paths.journal, "utf8")).toContain(`"hash":"${head}"}\n`);
  });

  it("leaves out a run whose beginning is further back than it looks", async () => {
    await using host = await agentHost();
    await runs(host, 70);
    const { runs: told, entries } = await journalView(host.store.paths);
    expect(entries).toBe(280);
    expect(told.length).toBeLessThan(70);
    expect(told.every(({ kind }) => kind === "deploy")).toBe(true);
  });

  it("says what is wrong with a journal instead of failing", async () => {
    await using host = await agentHost();
    await runs(host, 1);
    const { journal } = host.store.paths;
    await writeFile(journal, (await readFile(journal, "utf8")).replace("Try it", "Tried it"));
    expect(await journalView(host.store.paths)).toMatchObject({ runs: [], problem: expect.stringContaining("Entry 1 of the journal was changed") as string });
  });
});
