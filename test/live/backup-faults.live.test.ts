import { afterAll, describe, expect, it } from "vitest";
import { type Row, rowLine, runCell, table } from "./backup-faults/cell.ts";
import { FAULTS } from "./backup-faults/faults.ts";
import { Scene } from "./backup-faults/scene.ts";
import { STACK, dataOf } from "./plant.ts";

/** All with MILLWRIGHT_FAULTS=all, else those whose name holds one of its texts (commas between): they need a store, whose programs take minutes to build. */
const chosen = process.env["MILLWRIGHT_FAULTS"] ?? "";
const faults = FAULTS.filter(({ name }) => chosen !== "" && (chosen === "all" || chosen.split(",").some((text) => name.includes(text))));
/** With a new plant, when the one before was left half-broken. */
const LIMIT_MILLISECONDS = 900_000;

describe.skipIf(faults.length === 0)("whatever goes wrong with backups is survived or named, and no bad one is called good", () => {
  let scene: Scene | undefined;
  const rows: Row[] = [];

  /** On a plant that is used for as long as every fault on it can be mended. */
  const onPlant = async (name: string, test: (scene: Scene) => Promise<void>): Promise<void> => {
    scene ??= await Scene.make();
    try {
      await test(scene);
    } catch (error) {
      process.stderr.write(`What is left of "${name}": ${await scene.plant.keepArtifacts(name)}\n`);
      await scene[Symbol.asyncDispose]();
      scene = undefined;
      throw error;
    }
  };

  afterAll(async () => {
    process.stderr.write(`\n${table(rows)}\n`);
    await scene?.[Symbol.asyncDispose]();
  });

  it.each(faults)(
    "$name",
    async (fault) => {
      let problems: readonly string[] = [];
      await onPlant(fault.name, async (on) => {
        const row = await runCell(on, fault);
        rows.push(row);
        problems = row.problems;
        process.stderr.write(`${rowLine(row)}${problems.map((problem) => `\n  ${problem}`).join("")}\n`);
      });
      expect(problems).toEqual([]);
    },
    LIMIT_MILLISECONDS,
  );

  it.each([
    { place: "the host's repository", from: [] },
    { place: "the other", from: ["--from", "offsite"] },
  ])(
    "after all of it a drill of $place passes, and a restore from there has every row that was acknowledged",
    async ({ place, from }) =>
      onPlant(`a drill of ${place}`, async (on) => {
        const { run } = (await on.plant.must("backup", "drill", ...from)) as { readonly run: { readonly summary: string } };
        process.stderr.write(`${run.summary}\n`);
        await on.plant.must("backup", "restore", "--to", "now", "--beside", ...from);
        expect(await on.lost(`${STACK}-recovery-database-1`)).toEqual([]);
        dataOf(await on.plant.run("backup", "verify", ...from));
      }),
    LIMIT_MILLISECONDS,
  );
});
