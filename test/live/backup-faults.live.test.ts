import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Row, rowLine, runCell, table } from "./backup-faults/cell.ts";
import { FAULTS } from "./backup-faults/faults.ts";
import { Scene } from "./backup-faults/scene.ts";
import { STACK, dataOf } from "./plant.ts";

/** All with MILLWRIGHT_FAULTS=all, else those whose name holds one of its texts (commas between): they need a store, whose programs take minutes to build. */
const chosen = process.env["MILLWRIGHT_FAULTS"] ?? "";
const faults = FAULTS.filter(({ name }) => chosen !== "" && (chosen === "all" || chosen.split(",").some((text) => name.includes(text))));

describe.skipIf(faults.length === 0)("whatever goes wrong with backups is survived or named, and no bad one is called good", () => {
  let scene: Scene;
  const rows: Row[] = [];

  beforeAll(async () => {
    scene = await Scene.make();
  });
  afterAll(async () => {
    process.stderr.write(`\n${table(rows)}\n`);
    await scene?.[Symbol.asyncDispose]();
  });

  it.each(faults)("$name", async (fault) => {
    try {
      const row = await runCell(scene, fault);
      rows.push(row);
      process.stderr.write(`${rowLine(row)}${row.problems.map((problem) => `\n  ${problem}`).join("")}\n`);
      expect(row.problems).toEqual([]);
    } catch (error) {
      process.stderr.write(`What is left of "${fault.name}": ${await scene.plant.keepArtifacts(fault.name)}\n`);
      throw error;
    }
  });

  it.each([
    { place: "the host's repository", from: [] },
    { place: "the other", from: ["--from", "offsite"] },
  ])("after all of it a drill of $place passes, and a restore from there has every row that was acknowledged", async ({ from }) => {
    const { run } = (await scene.plant.must("backup", "drill", ...from)) as { readonly run: { readonly summary: string } };
    process.stderr.write(`${run.summary}\n`);
    await scene.plant.must("backup", "restore", "--to", "now", "--beside", ...from);
    expect(await scene.lost(`${STACK}-recovery-database-1`)).toEqual([]);
    dataOf(await scene.plant.run("backup", "verify", ...from));
  });
});
