import { afterAll, describe, expect, it } from "vitest";
import { FIXTURES } from "./fixture-release.ts";
import { type Row, rowLine, runCell, table } from "./matrix/cell.ts";
import { FAULTS } from "./matrix/faults.ts";
import { BAD, MOMENTS, momentName } from "./matrix/moments.ts";
import { type Plant, createPlant } from "./plant.ts";

const ALL = FAULTS.flatMap((fault) => MOMENTS.map((moment) => ({ fault, moment, name: `${fault.name} at ${momentName(moment)}` })));
/** Those in a canary come last: the site is then changed once. */
const CELLS = [false, true].flatMap((inCanary) => ALL.filter(({ moment }) => (moment.swap === "canary") === inCanary));
/** All with MILLWRIGHT_FAULTS=all, those whose name holds one of its texts (commas between), else every tenth: the stride meets each fault at other moments. */
const chosen = process.env["MILLWRIGHT_FAULTS"] ?? "";
const cells = CELLS.filter((cell, index) =>
  chosen === "" ? index % 10 === 4 : chosen === "all" || chosen.split(",").some((text) => cell.name.includes(text)),
);

describe("whatever dies in a swap, the plant runs one release, whole", () => {
  let plant: Plant | undefined;
  let releases = new Map<number, string>();
  const rows: Row[] = [];
  /** By the site of the stack that is deployed. */
  let hasCanary = false;

  /** A plant is used for as long as it comes out of every fault as it should. */
  const freshPlant = async (): Promise<Plant> => {
    await plant?.[Symbol.asyncDispose]();
    const next = await createPlant({ host: "matrix", template: "loaded" });
    plant = next;
    hasCanary = false;
    await next.bootstrap();
    releases = new Map([[FIXTURES.first, await next.serveFirst()]]);
    for (const fixture of [FIXTURES.good, ...BAD]) releases.set(fixture, await next.release(fixture));
    return next;
  };

  afterAll(async () => {
    process.stderr.write(`\n${table(rows)}\n`);
    await plant?.[Symbol.asyncDispose]();
  });

  const withCanary = async (scene: Plant): Promise<void> => {
    await scene.configure({ "swap.canary.percent": [50], "swap.canary.stage": "8s" });
    await scene.must("deploy", "--yes");
    hasCanary = true;
  };

  let isTrusted = false;
  for (const { fault, moment, name } of cells) {
    it(name, async () => {
      const scene = isTrusted && plant !== undefined ? plant : await freshPlant();
      isTrusted = false;
      if (moment.swap === "canary" && !hasCanary) await withCanary(scene);
      try {
        const row = await runCell(scene, async (fixture) => releases.get(fixture) ?? "", fault, moment);
        rows.push(row);
        process.stderr.write(`${rowLine(row)}${row.problems.map((problem) => `\n  ${problem}`).join("")}\n`);
        expect(row.problems).toEqual([]);
        isTrusted = true;
      } catch (error) {
        process.stderr.write(`What is left of "${name}": ${await scene.keepArtifacts(name)}\n`);
        throw error;
      }
    });
  }
});
