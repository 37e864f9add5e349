import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { ensureLab, stopLab } from "../test/lab/lab.ts";
import { type Plant, createPlant } from "../test/live/plant.ts";
import { markdown, type Row } from "./bench.ts";
import { benchBackup } from "./backup.ts";
import { benchManySwaps } from "./many-swaps.ts";
import { benchNoOpDeploy } from "./no-op-deploy.ts";
import { benchPlaces } from "./places.ts";
import { benchPush } from "./push.ts";
import { benchRecovery } from "./recovery.ts";
import { benchRender } from "./render.ts";
import { benchStartup } from "./startup.ts";
import { benchStatus } from "./status.ts";
import { benchSwap } from "./swap.ts";

// `npm run bench -- [--runs N] [--only startup,render,…]`: one table, medians of N runs, baselines measured beside ours. Without --only: all but
// the LONG ones, `places` and `backup`, which are run when they are named.
const ON_PLANT: Readonly<Record<string, (plant: Plant, runs: number) => Promise<readonly Row[]>>> = {
  render: benchRender,
  deploy: benchNoOpDeploy,
  status: benchStatus,
  push: benchPush,
  swap: benchSwap,
};
const LONG: typeof ON_PLANT = { recovery: benchRecovery, many: benchManySwaps };
const { values: flags } = parseArgs({
  options: { runs: { type: "string", default: "3" }, only: { type: "string", default: ["startup", ...Object.keys(ON_PLANT)].join(",") } },
});
const runs = Math.max(1, Math.trunc(Number(flags.runs)) || 1);
const wanted = flags.only.split(",");
const say = (text: string): void => void process.stderr.write(`${text}\n`);
if (!existsSync("dist/cli/main.cjs")) throw new Error("Build first: npm run build");

const rows: Row[] = [];
let plant: Plant | undefined;
const clean = async (): Promise<void> => {
  await plant?.[Symbol.asyncDispose]();
  await stopLab();
};
process.on("SIGINT", () => void clean().then(() => process.exit(130)));
try {
  if (wanted.includes("startup")) rows.push(...(await benchStartup(runs)));
  const onPlant = Object.entries({ ...ON_PLANT, ...LONG }).filter(([name]) => wanted.includes(name));
  if (onPlant.length > 0) {
    say("Building the lab and a plant that serves …");
    await ensureLab();
    plant = await createPlant({ host: "bench", template: "loaded", site: { "swap.bake": "10s" } });
    await plant.bootstrap();
    await plant.serveFirst();
    for (const [name, bench] of onPlant) {
      say(`${name}, ${runs} times …`);
      rows.push(...(await bench(plant, runs)));
    }
    await plant[Symbol.asyncDispose]();
    plant = undefined;
  }
  if (wanted.includes("backup")) {
    await ensureLab();
    rows.push(...(await benchBackup(runs)));
  }
  if (wanted.includes("places")) {
    await ensureLab();
    say(`places, ${runs} times …`);
    rows.push(...(await benchPlaces(runs)));
  }
} finally {
  await clean();
}
process.stdout.write(
  `${markdown(rows)}\n\nMedians of ${runs} runs (start-up: ${runs * 3}); Node ${process.version}. Load: 20 \`GET /web/login\` a second by the clock, one 2 s request always under way, one websocket.\n`,
);
