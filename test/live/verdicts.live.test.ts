import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FIXTURES } from "./fixture-release.ts";
import { runUnderLoad } from "./measure.ts";
import { REPOSITORY } from "./operator.ts";
import { createPlant, dataOf, errorOf, type Plant } from "./plant.ts";

/** What a site gets that says nothing of it. */
const DEFAULTS = Object.fromEntries(
  ["bake", "probe", "rules.probes.failAfter", "rules.probes.passAfter", "rules.traffic.minimumRequests", "rules.latency.action"].map((key) => [
    `swap.${key}`,
    undefined,
  ]),
);

/** What ails a release once people use it, and the rule that must take it back. */
const ILLS = [
  { how: "login", what: "its login page fails", rule: "errors" },
  { how: "websocket", what: "its websockets fail", rule: "probes" },
  { how: "fails", what: "it fails one request in fifty", rule: "errors" },
  { how: "slow", what: "one page in twelve takes a second longer", rule: "latency" },
  { how: "leaks", what: "each page keeps a MiB", rule: "memory" },
  { how: "complains", what: "it complains in its log", rule: "log" },
  { how: "dies", what: "its first process dies", rule: "containers" },
];

/** With MILLWRIGHT_FAULTS=all, else those whose name holds one of its texts (commas between): each takes a bake of a minute. */
const chosen = (process.env["MILLWRIGHT_FAULTS"] ?? "").split(",").filter((text) => text !== "");
const isChosen = (name: string): boolean => chosen.some((text) => text === "all" || name.includes(text));
const ills = ILLS.filter(({ what }) => isChosen(`verdict: ${what}`));
const isGoodChosen = isChosen("verdict: good");
/** With MILLWRIGHT_RECORD the series that the host wrote become those of test/swap/recorded.test.ts. */
const RECORDED = process.env["MILLWRIGHT_RECORD"] === undefined ? undefined : join(REPOSITORY, "test/swap/recorded");
const LOAD = { load: { rate: 5, slowPath: "", websocket: true } };

describe.skipIf(ills.length === 0 && !isGoodChosen)("by the rules that a site gets which says nothing of them, under load", () => {
  let plant: Plant;
  let bad = "";

  beforeAll(async () => {
    plant = await createPlant({ host: "verdicts", template: "loaded", site: DEFAULTS });
    await plant.bootstrap();
    await plant.serveFirst();
    bad = await plant.release(FIXTURES.breaksLater);
  });

  afterAll(async () => {
    await plant?.[Symbol.asyncDispose]();
  });

  const keepSeries = async (name: string, run: string): Promise<void> => {
    if (RECORDED === undefined) return;
    await mkdir(RECORDED, { recursive: true });
    const series = await plant.sh("cat", `/srv/millwright/${plant.stack}/state/runs/${run}/evidence/series.jsonl`);
    await writeFile(join(RECORDED, `${name}.jsonl`), `${series}\n`);
  };

  const tried = async (name: string, test: () => Promise<void>): Promise<void> => {
    try {
      await test();
    } catch (error) {
      process.stderr.write(`What is left of "${name}": ${await plant.keepArtifacts(name)}\n`);
      throw error;
    }
  };

  it.each(ills.map((ill) => [ill.what, ill] as const))("a release is taken back when %s", async (what, { how, rule }) => {
    await tried(what, async () => {
      const { outcome, report, run } = await runUnderLoad(plant, ["upgrade", "--release", bad, "--yes"], { ...LOAD, meanwhile: () => plant.breakInBake(how) });
      const { code, message } = errorOf(outcome);
      process.stderr.write(`${how}: ${report.failed} of ${report.sent} failed. ${message}\n`);
      await keepSeries(how, run.id);
      expect({ code, serves: (await plant.serving()).number }).toEqual({ code: "RELEASE_UNHEALTHY", serves: FIXTURES.first });
      expect(message).toContain(`lost its bake by the rule \`${rule}\``);
    });
  });

  it.runIf(isGoodChosen)("a good release stays, and no request fails", async () => {
    await tried("good", async () => {
      const good = await plant.release(FIXTURES.good);
      const { outcome, report, run } = await runUnderLoad(plant, ["upgrade", "--release", good, "--yes"], LOAD);
      dataOf(outcome);
      await keepSeries("good", run.id);
      expect({ failed: report.failed, serves: (await plant.serving()).number }).toEqual({ failed: 0, serves: FIXTURES.good });
    });
  });
});
