import { FIXTURES } from "../test/live/fixture-release.ts";
import { runCell } from "../test/live/matrix/cell.ts";
import { FAULTS } from "../test/live/matrix/faults.ts";
import { MOMENTS } from "../test/live/matrix/moments.ts";
import type { Plant } from "../test/live/plant.ts";
import { type Row, median, repeat, show } from "./bench.ts";

/** Each fault in the midst of swaps under load: one before users were moved, one at that instant, one after. */
const STRUCK_AT: readonly string[] = ["warm", "switch", "bake"];

/** From the strike to the end of the run that the host comes to by itself, and what users saw of it. */
export async function benchRecovery(plant: Plant, runs: number): Promise<readonly Row[]> {
  const ids = new Map<number, string>();
  for (const fixture of [FIXTURES.first, FIXTURES.good]) ids.set(fixture, await plant.release(fixture));
  const moments = MOMENTS.filter((moment) => moment.swap === "good" && STRUCK_AT.includes(moment.step));
  const rows: Row[] = [];
  for (const fault of FAULTS) {
    for (const moment of moments) {
      const cells = await repeat(runs, () => runCell(plant, async (fixture) => ids.get(fixture) ?? "", fault, moment));
      const problems = cells.flatMap((cell) => cell.problems);
      if (problems.length > 0) throw new Error(`${fault.name} at ${moment.step}: ${problems.join("; ")}`);
      const failed = `${median(cells.map((cell) => cell.failed))} of ${Math.round(median(cells.map((cell) => cell.sent)))} requests failed`;
      rows.push({
        what: `${fault.name} at \`${moment.step}\`: until the host is whole again`,
        ours: `${show(median(cells.map((cell) => cell.seconds)), "s", 1)}, ${failed}`,
        baseline: "",
        against: `(the ${[...new Set(cells.map((cell) => cell.serves))].sort().join(" or ")} release serves then)`,
      });
    }
  }
  return rows;
}
