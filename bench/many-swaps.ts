import { FIXTURES } from "../test/live/fixture-release.ts";
import { runUnderLoad } from "../test/live/measure.ts";
import { type Plant, dataOf } from "../test/live/plant.ts";
import { type Row, median, show } from "./bench.ts";

const SWAPS = 50;
/** By then as much is kept as is ever kept (releases, runs, caches). */
const SETTLED = 10;

/** What a host holds between two swaps. */
interface Holding {
  readonly containers: number;
  readonly images: number;
  readonly networks: number;
  /** Bytes. */
  readonly engine: number;
  readonly state: number;
  readonly journal: number;
  readonly memory: number;
}

/** Fifty swaps in a row under load: what grows. */
export async function benchManySwaps(plant: Plant): Promise<readonly Row[]> {
  const releases = [await plant.release(FIXTURES.good), await plant.release(FIXTURES.first)];
  let settled: Holding | undefined;
  let failed = 0;
  const peaks: number[] = [];
  for (let swap = 1; swap <= SWAPS; swap += 1) {
    const measured = await runUnderLoad(plant, ["upgrade", "--release", releases[(swap - 1) % 2] ?? "", "--yes"]);
    dataOf(measured.outcome);
    failed += measured.report.failed + measured.report.slowFailed;
    peaks.push(measured.agentPeakBytes);
    if (swap === SETTLED) settled = await holding(plant);
    process.stderr.write(`swap ${swap} of ${SWAPS}: ${failed} requests failed so far\n`);
  }
  const ended = await holding(plant);
  const row = (what: string, pick: (held: Holding) => number, write: (value: number) => string): Row => ({
    what: `after ${SWAPS} swaps in a row: ${what}`,
    ours: write(pick(ended)),
    baseline: settled === undefined ? "" : write(pick(settled)),
    against: `after ${SETTLED} of them`,
  });
  const mebibytes = (value: number): string => show(value / 1024 ** 2, "MiB", 1);
  return [
    { what: `${SWAPS} swaps in a row: failed requests`, ours: String(failed), baseline: "", against: "" },
    row("containers", (held) => held.containers, String),
    row("images", (held) => held.images, String),
    row("networks", (held) => held.networks, String),
    row("disk of the engine", (held) => held.engine, mebibytes),
    row("disk of runs, evidence and traffic", (held) => held.state, mebibytes),
    row("journal", (held) => held.journal, mebibytes),
    row("memory of all containers", (held) => held.memory, mebibytes),
    {
      what: "memory of the agent, peak, last five swaps",
      ours: mebibytes(median(peaks.slice(-5))),
      baseline: mebibytes(median(peaks.slice(0, 5))),
      against: "the first five",
    },
  ];
}

async function holding(plant: Plant): Promise<Holding> {
  const state = `/srv/millwright/${plant.stack}/state`;
  const number = async (script: string): Promise<number> => Number(await plant.sh("sh", "-c", script));
  return {
    containers: await number("docker ps --all --quiet | wc -l"),
    images: await number("docker images --quiet | sort -u | wc -l"),
    networks: await number("docker network ls --quiet | wc -l"),
    engine: await number("du -sx --block-size=1 /var/lib/docker | cut -f1"),
    state: await number(`du -s --block-size=1 --exclude=journal.jsonl ${state} | cut -f1`),
    journal: await number(`stat -c %s ${state}/journal.jsonl`),
    memory: await number(
      "for id in $(docker ps --quiet --no-trunc); do cat /sys/fs/cgroup/memory/docker/$id/memory.usage_in_bytes /sys/fs/cgroup/system.slice/docker-$id.scope/memory.current 2>/dev/null; done | awk '{ sum += $1 } END { print sum + 0 }'",
    ),
  };
}
