import { eventually } from "../test/live/eventually.ts";
import { FIXTURES } from "../test/live/fixture-release.ts";
import type { LoadReport } from "../test/live/load.ts";
import { type MeasuredRun, idleLoad, runUnderLoad, switchBackMilliseconds } from "../test/live/measure.ts";
import { type Plant, dataOf } from "../test/live/plant.ts";
import { type Row, median, repeat, show } from "./bench.ts";
import { type Floor, measureFloor } from "./floor.ts";

const WARMING_SECONDS = 10;
const WITHOUT = "the same load without a swap";
const BESIDE = "the release's own container started beside the colour that serves the same load, without millwright";
const BY_HAND = "the image changed in the colour's Compose file, `docker compose up -d`";

interface Round {
  readonly idle: LoadReport;
  readonly swap: MeasuredRun;
  readonly rollback: MeasuredRun;
  readonly dies: MeasuredRun;
  readonly badColour: string;
  readonly floor: Floor;
  readonly floorUnderLoad: { readonly result: Floor; readonly report: LoadReport };
  readonly byHand: LoadReport;
}

/** Swap and rollback at 20 requests a second, with a slow request always under way and a websocket held. */
export async function benchSwap(plant: Plant, runs: number): Promise<readonly Row[]> {
  const good = await plant.release(FIXTURES.good);
  const breaks = await plant.release(FIXTURES.breaksLater);
  const rounds = await repeat(runs, async (): Promise<Round> => {
    // What the round before did by hand has left a cold release to serve.
    await idleLoad(plant, WARMING_SECONDS);
    const swap = await runUnderLoad(plant, ["upgrade", "--release", good, "--yes"]);
    dataOf(swap.outcome);
    const idle = await idleLoad(plant, Math.max(10, swap.runSeconds));
    const rollback = await runUnderLoad(plant, ["rollback", "--yes"]);
    dataOf(rollback.outcome);
    const { colour } = await plant.serving();
    const spare = colour === "blue" ? "green" : "blue";
    const dies = await runUnderLoad(plant, ["upgrade", "--release", breaks, "--yes"], { meanwhile: () => plant.breakInBake() });
    const floor = await measureFloor(plant, spare);
    const floorUnderLoad = await underLoad(plant, () => measureFloor(plant, spare));
    const told = Object.entries({
      idle,
      swap: swap.report,
      rollback: rollback.report,
      "breaks in its bake": dies.report,
      "a start alone": floorUnderLoad.report,
    });
    process.stderr.write(`  ${told.map(([what, load]) => `${what}: gap ${load.longestGapMilliseconds} ms, p99 ${load.p99Milliseconds} ms`).join("; ")}\n`);
    return { idle, swap, rollback, dies, badColour: spare, floor, floorUnderLoad, byHand: await swapByHand(plant, colour, good) };
  });

  const of = (pick: (round: Round) => number | undefined): number => median(rounds.map((round) => pick(round) ?? Number.NaN));
  // Not a median: one request lost in one run is a request lost.
  const failed = (pick: (round: Round) => LoadReport): string => {
    const counts = rounds.map((round) => pick(round).failed + pick(round).slowFailed);
    const sent = rounds.reduce((sum, round) => sum + pick(round).sent, 0);
    return `${counts.reduce((sum, count) => sum + count, 0)} of ${sent}; none in ${counts.filter((count) => count === 0).length} of ${runs} runs`;
  };
  const gap = (pick: (round: Round) => LoadReport): string =>
    show(
      of((round) => pick(round).longestGapMilliseconds),
      "ms",
    );
  return [
    { what: "swap: failed requests", ours: failed((round) => round.swap.report), baseline: failed((round) => round.byHand), against: BY_HAND },
    { what: "swap: longest gap between good answers", ours: gap((round) => round.swap.report), baseline: gap((round) => round.byHand), against: BY_HAND },
    { what: "", ours: gap((round) => round.swap.report), baseline: gap((round) => round.idle), against: WITHOUT },
    { what: "", ours: gap((round) => round.swap.report), baseline: gap((round) => round.floorUnderLoad.report), against: BESIDE },
    {
      what: "swap: until the new release serves",
      ours: show(
        of((round) => round.swap.swapSeconds),
        "s",
        1,
      ),
      baseline: show(
        of((round) => whole(round.floor)),
        "s",
        1,
      ),
      against: "the release's own container from start to all workers and websocket warm, no load",
    },
    {
      what: "",
      ours: show(
        of((round) => round.swap.swapSeconds),
        "s",
        1,
      ),
      baseline: show(
        of((round) => whole(round.floorUnderLoad.result)),
        "s",
        1,
      ),
      against: BESIDE,
    },
    {
      what: "swap: websocket away",
      ours: show(
        of((round) => round.swap.report.websocketAwayMilliseconds),
        "ms",
      ),
      baseline: show(
        of((round) => round.byHand.websocketAwayMilliseconds),
        "ms",
      ),
      against: BY_HAND,
    },
    {
      what: "swap: p99 of an answer",
      ours: show(
        of((round) => round.swap.report.p99Milliseconds),
        "ms",
      ),
      baseline: show(
        of((round) => round.idle.p99Milliseconds),
        "ms",
      ),
      against: WITHOUT,
    },
    { what: "rollback: failed requests", ours: failed((round) => round.rollback.report), baseline: failed((round) => round.idle), against: WITHOUT },
    { what: "rollback: longest gap between good answers", ours: gap((round) => round.rollback.report), baseline: gap((round) => round.idle), against: WITHOUT },
    {
      what: "rollback: until the old release serves",
      ours: show(
        of((round) => round.rollback.swapSeconds),
        "s",
        1,
      ),
      baseline: show(
        of((round) => round.floor.warm),
        "s",
        1,
      ),
      against: "the old release's own start",
    },
    {
      what: "bad release in the bake: decision → its last request",
      ours: show(
        of((round) => switchBackMilliseconds(round.dies, round.badColour)),
        "ms",
      ),
      baseline: "",
      against: "",
    },
    { what: "memory of the agent, peak in a swap", ours: show(of((round) => round.swap.agentPeakBytes) / 1024 ** 2, "MiB"), baseline: "", against: "" },
    {
      what: "memory of the operator's process, `upgrade`",
      ours: show(of((round) => round.swap.outcome.peakBytes) / 1024 ** 2, "MiB"),
      baseline: "",
      against: "",
    },
  ];
}

/** All that a swap has to wait for. */
function whole(floor: Floor): number {
  return Math.max(floor.warm, floor.websocket);
}

async function underLoad<T>(plant: Plant, work: () => Promise<T>): Promise<{ readonly result: T; readonly report: LoadReport }> {
  await using load = await plant.load();
  const result = await work();
  return { result, report: await load.stop() };
}

/** What plain Compose does with a new image: the serving colour's file is changed and brought up; then everything is put back. */
async function swapByHand(plant: Plant, colour: string, release: string): Promise<LoadReport> {
  const folder = `/srv/millwright/${plant.stack}/colours/${colour}`;
  const image = await plant.imageOf(release);
  await plant.sh("cp", `${folder}/compose.yaml`, "/root/bench-compose.yaml");
  const up = `docker compose -p ${plant.stack}-${colour} -f ${folder}/compose.yaml up -d`;
  await using load = await plant.load();
  await plant.sh("sh", "-c", `sed -i 's/image: .*/image: "${image}"/' ${folder}/compose.yaml && ${up}`);
  await eventually(async () => (await plant.serving()).number === FIXTURES.good, { what: "the new image" });
  await eventually(async () => (await plant.https("/web/login")).status === 200, { what: "the login page" });
  const report = await load.stop();
  await plant.sh("sh", "-c", `mv /root/bench-compose.yaml ${folder}/compose.yaml && ${up}`);
  await eventually(async () => (await plant.serving()).number === FIXTURES.first, { what: "the old image" });
  return report;
}
