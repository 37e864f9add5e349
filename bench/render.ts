import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Plant, dataOf } from "../test/live/plant.ts";
import { type Row, median, repeat, show } from "./bench.ts";

const ON_HOST = "/root/bench-render.yaml";

/** Site to stack, cold: a whole process that reads, checks, renders and writes, beside Compose only reading the result. */
export async function benchRender(plant: Plant, runs: number): Promise<readonly Row[]> {
  const out = join(plant.scratch, "bench-render");
  const renders = await repeat(runs, async () => {
    const outcome = await plant.run("render", "--out", out);
    dataOf(outcome);
    return outcome.seconds;
  });
  const compose = await readFile(join(out, "platform/compose.yaml"), "utf8");
  await plant.host.sh(["sh", "-c", `cat > ${ON_HOST}`], { input: compose });
  const configs = await repeat(runs, async () => {
    const nanoseconds = `a=$(date +%s%N); docker compose -f ${ON_HOST} config --quiet || exit 1; b=$(date +%s%N); echo $((b - a))`;
    return Number(await plant.sh("sh", "-c", nanoseconds)) / 1e9;
  });
  await plant.sh("rm", ON_HOST);
  return [
    {
      what: "`render`, cold",
      ours: show(median(renders) * 1000, "ms"),
      baseline: show(median(configs) * 1000, "ms"),
      against: "`docker compose config` of its platform, on the practice host",
    },
  ];
}
