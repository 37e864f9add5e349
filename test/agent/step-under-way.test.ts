import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { executeRun } from "../../src/agent/execute-run.ts";
import { bindTable, type RunTables } from "../../src/agent/run-table.ts";
import { beginRun } from "../../src/agent/run-store.ts";
import { stepUnderWay } from "../../src/agent/step-under-way.ts";
import { type AgentHost, agentHost, keep, planWith } from "./agent-host.ts";

/** Carries a plan out whose second step fails; returns what is told at each look that its steps take. */
async function looks(host: AgentHost): Promise<readonly (string | undefined)[]> {
  const seen: (string | undefined)[] = [];
  await keep(
    host,
    planWith([
      { id: "a", title: "Do the first" },
      { id: "b", title: "Do the second" },
    ]),
  );
  const run = await beginRun(host.store, { plan: "plan-1", who: "jo", kinds: ["deploy"], basisNow: async () => "basis-1" });
  const look = async (): Promise<void> => void seen.push(await stepUnderWay(host.store.paths, run));
  await look();
  const step = {
    do: async (_context: undefined, { id }: { readonly id: string }) => {
      await look();
      if (id === "b") throw new Error("no");
    },
    undo: look,
  };
  const table = async () => bindTable({ a: step, b: step }, undefined);
  const tables: RunTables = { deploy: table, swap: table, rollback: table };
  await executeRun(host.store, tables, new AbortController().signal);
  await look();
  return seen;
}

describe("the step that a run is in", () => {
  it("is told in the plan's words, on the way forward and on the way back, and not before or after", async () => {
    await using host = await agentHost();
    expect(await looks(host)).toEqual([undefined, "Do the first", "Do the second", "Undo: Do the second", "Undo: Do the first", undefined]);
  });

  it("is not told by a journal that is broken", async () => {
    await using host = await agentHost();
    await looks(host);
    const { journal } = host.store.paths;
    await writeFile(journal, (await readFile(journal, "utf8")).replace('"who":"jo"', '"who":"no"'));
    expect(await stepUnderWay(host.store.paths, "run-1")).toBeUndefined();
  });
});
