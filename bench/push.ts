import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { builderDocker } from "../test/lab/lab.ts";
import { FIXTURES } from "../test/live/fixture-release.ts";
import { type Plant, dataOf } from "../test/live/plant.ts";
import { type Row, median, repeat, show } from "./bench.ts";
import { lastLayer } from "./last-layer.ts";

const BALLAST_BYTES = 1024 ** 2;

/** One addon has changed: what goes over the wire to a host that has the release before. */
export async function benchPush(plant: Plant, runs: number): Promise<readonly Row[]> {
  const socket = await builderDocker();
  const before = await plant.release(FIXTURES.first, "--docker", socket);
  dataOf(await plant.run("release", "push", before, "--docker", socket));
  const pushes = await repeat(runs, async () => {
    const release = await buildWithBallast(plant, socket);
    const received = await receivedBytes(plant);
    const outcome = await plant.run("release", "push", release, "--docker", socket);
    dataOf(outcome);
    const bytes = (await receivedBytes(plant)) - received;
    const layer = await lastLayer(socket, await plant.imageOf(release));
    return { bytes, seconds: outcome.seconds, peak: outcome.peakBytes, layer: gzipSync(layer).length };
  });
  return [
    {
      what: "`release push` of one changed addon (1 MiB that does not compress), bytes on the wire",
      ours: show(median(pushes.map((push) => push.bytes)) / 1e6, "MB", 2),
      baseline: show(median(pushes.map((push) => push.layer)) / 1e6, "MB", 2),
      against: "gzip of the changed layer",
    },
    { what: "`release push`, that one", ours: show(median(pushes.map((push) => push.seconds)), "s", 1), baseline: "", against: "" },
    {
      what: "memory of the operator's process, that `release push`",
      ours: show(median(pushes.map((push) => push.peak)) / 1024 ** 2, "MiB"),
      baseline: "",
      against: "",
    },
  ];
}

async function buildWithBallast(plant: Plant, socket: string): Promise<string> {
  return plant.releaseWith(FIXTURES.good, (addon) => writeFile(join(addon, "static/src/ballast.bin"), randomBytes(BALLAST_BYTES)), "--docker", socket);
}

/** Bytes that the host's network card has received, with SSH's and TCP's own. */
async function receivedBytes(plant: Plant): Promise<number> {
  return Number(await plant.sh("cat", "/sys/class/net/eth0/statistics/rx_bytes"));
}
