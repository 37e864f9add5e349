import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { ensureLab, stopLab } from "../test/lab/lab.ts";
import { type Plant, createPlant } from "../test/live/plant.ts";
import { markdown, type Row } from "./bench.ts";
import { benchNoOpDeploy } from "./no-op-deploy.ts";
import { benchPush } from "./push.ts";
import { benchRender } from "./render.ts";
import { benchStartup } from "./startup.ts";
import { benchSwap } from "./swap.ts";

// `npm run bench -- [--runs N] [--only startup,render,…]`: one table, medians of N runs, baselines measured beside ours.
const ON_PLANT: Readonly<Record<string, (plant: Plant, runs: number) => Promise<readonly Row[]>>> = {
  render: benchRender,
  deploy: benchNoOpDeploy,
  push: benchPush,
  swap: benchSwap,
};
const { values: flags } = parseArgs({
  options: { runs: { type: "string", default: "3" }, only: { type: "string", default: ["startup", ...Object.keys(ON_PLANT)].join(",") } },
});
const runs = Math.max(1, Math.trunc(Number(flags.runs)) || 1);
const wanted = flags.only.split(",");
const say = (text: string): void => void process.stderr.write(`${text}\n`);
if (!existsSync("dist/cli/main.js")) throw new Error("Build first: npm run build");

const rows: Row[] = [];
let plant: Plant | undefined;
const clean = async (): Promise<void> => {
  await plant?.[Symbol.asyncDispose]();
  await stopLab();
};
process.on("SIGINT", () => void clean().then(() => process.exit(130)));
try {
  if (wanted.includes("startup")) rows.push(...(await benchStartup(runs)));
  const onPlant = Object.entries(ON_PLANT).filter(([name]) => wanted.includes(name));
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
  }
} finally {
  await clean();
}
process.stdout.write(
  `${markdown(rows)}\n\nMedians of ${runs} runs (start-up: ${runs * 3}); Node ${process.version}. Load: 20 \`GET /web/login\` a second by the clock, one 2 s request always under way, one websocket.\n`,
);
