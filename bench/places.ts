import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { labHost } from "../test/lab/lab.ts";
import { FIXTURES } from "../test/live/fixture-release.ts";
import { type MeasuredRun, idleLoad, runUnderLoad } from "../test/live/measure.ts";
import { ENVIRONMENT, type Plant, createPlant, dataOf, fingerprintOf } from "../test/live/plant.ts";
import { type Row, median, repeat, show } from "./bench.ts";

const SITE = { "swap.bake": "10s" };

/** The same swap elsewhere: with more workers, without internet, and behind a jump host. */
export async function benchPlaces(runs: number): Promise<readonly Row[]> {
  const workers = await swapsOn(await createPlant({ host: "workers", template: "loaded", site: { ...SITE, "sizing.workers": 4 } }), runs, "4 workers");
  const gapped = await swapsOn(await createPlant({ host: "gapped", template: "loaded", internet: false, site: SITE }), runs, "no internet");
  const jump = await labHost(`jump-${process.pid}`, { template: "bare" });
  try {
    const inner = await createPlant({
      host: "inner",
      template: "loaded",
      onlyVia: jump,
      trust: false,
      site: { ...SITE, [`environments.${ENVIRONMENT}.host.jump`]: { address: jump.address, user: jump.user } },
    });
    await appendFile(join(inner.directory, "known_hosts"), `${jump.address} ${jump.hostKey}\n`);
    await inner.must("host", "trust", "--fingerprint", fingerprintOf(inner.host.hostKey));
    return [...workers, ...gapped, ...(await swapsOn(inner, runs, "behind a jump host"))];
  } finally {
    await jump.destroy();
  }
}

async function swapsOn(plant: Plant, runs: number, place: string): Promise<readonly Row[]> {
  await using host = plant;
  await host.bootstrap();
  const first = await host.serveFirst();
  const good = await host.release(FIXTURES.good);
  const idle = await idleLoad(host, 10);
  const swaps = await repeat(runs, async (run): Promise<MeasuredRun> => {
    const measured = await runUnderLoad(host, ["upgrade", "--release", run % 2 === 0 ? good : first, "--yes"]);
    dataOf(measured.outcome);
    return measured;
  });
  const lost = swaps.reduce((sum, { report }) => sum + report.failed + report.slowFailed, 0);
  const sent = swaps.reduce((sum, { report }) => sum + report.sent, 0);
  return [
    {
      what: `swap, ${place}: failed requests`,
      ours: `${lost} of ${sent}`,
      baseline: `${idle.failed} of ${idle.sent}`,
      against: "the same load without a swap",
    },
    {
      what: `swap, ${place}: longest gap between good answers`,
      ours: show(median(swaps.map(({ report }) => report.longestGapMilliseconds)), "ms"),
      baseline: show(idle.longestGapMilliseconds, "ms"),
      against: "the same load without a swap",
    },
    {
      what: `swap, ${place}: until the new release serves`,
      ours: show(median(swaps.map(({ swapSeconds }) => swapSeconds ?? Number.NaN)), "s", 1),
      baseline: "",
      against: "",
    },
  ];
}
