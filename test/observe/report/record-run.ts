import { mkdir } from "node:fs/promises";
import { executeRun } from "../../../src/agent/execute-run.ts";
import { readRun } from "../../../src/agent/read-run.ts";
import { beginRun, type RunStore, savePlan } from "../../../src/agent/run-store.ts";
import { bindTable, type RunTables } from "../../../src/agent/run-table.ts";
import type { Plan } from "../../../src/kernel/plan.ts";
import { type RunRecord, runRecordSchema } from "../../../src/observe/run-record.ts";
import { prepareRollback, prepareSwap } from "../../../src/swap/prepare-swap.ts";
import { swapReport } from "../../../src/swap/swap-report.ts";
import { swapTable } from "../../../src/swap/swap-steps.ts";
import type { Colour } from "../../../src/blueprint/stack.ts";
import type { Http } from "../../../src/swap/http.ts";
import { DEFAULT_POLICY } from "../../fakes/swap-policy.ts";
import { FakeSite, type Manner, releaseNamed } from "../../swap/fake-site.ts";
import { busyHttp } from "./busy-http.ts";

const ONE = releaseNamed("2026-11-24-1", {
  createdBy: "maria",
  revision: "4f1c2ab",
  notes: "Scales at the shop floor",
  addons: { scale: { version: "19.0.1.2", content: "c1", schema: "s1" }, labels: { version: "19.0.2.0", content: "l1", schema: "l1" } },
});
const TWO = releaseNamed("2026-11-24-2", {
  createdBy: "jo",
  revision: "90dd3e1-dirty",
  notes: "Labels print <again> & the scale's weight is rounded",
  addons: { scale: { version: "19.0.1.3", content: "c2", schema: "s1" }, labels: { version: "19.0.2.0", content: "l1", schema: "l1" } },
});

/** What things take on a real host, in milliseconds, by the beginning of their names at `FakeSite.atPoint`. */
const TOOK: readonly (readonly [string, number])[] = [
  ["materialise", 60],
  ["create", 700],
  ["start", 400],
  ["stop", 900],
  ["SIGTERM", 20],
  ["before", 4],
  ["front", 35],
];

export interface Story {
  /** Of the second release. */
  readonly manner?: Manner;
  /** By how much a colour's pages are slower, at a second since its first request. */
  readonly slower?: (colour: Colour, second: number) => number;
  /** Shares of the browsers that meet the second release before all do. */
  readonly canary?: readonly number[];
}

const STAGE_SECONDS = 20;

/** Runs on a fake site as the host's unit would, and gives what the verb `report` would give of them. */
export class Recorder {
  readonly site: FakeSite;
  #random = 0;

  readonly #http: Http;

  private constructor(site: FakeSite, slower: Story["slower"]) {
    this.site = site;
    this.#http = busyHttp(site, slower);
  }

  /** A site on which the first release serves on blue, about to get the second. */
  static async make({ manner = {}, slower, canary }: Story = {}): Promise<Recorder> {
    const { rules } = DEFAULT_POLICY;
    // With the requests that a bake wants, each stage would be as long.
    const few = { ...rules, traffic: { ...rules.traffic, minimumRequests: 60 } };
    const stages = canary === undefined ? {} : { rules: few, canary: { percent: [...canary], stageSeconds: STAGE_SECONDS } };
    const site = await FakeSite.make({ swap: { ...DEFAULT_POLICY, ...stages } });
    const recorder = new Recorder(site, slower);
    site.atPoint = (what) => site.clock.pass(TOOK.find(([begin]) => what.startsWith(begin))?.[1] ?? 0);
    await mkdir(site.paths.state, { recursive: true });
    site.addRelease(ONE);
    await recorder.carryOut((await prepareSwap(site.deps, ONE)).plan, "maria (10.0.0.5)");
    site.addRelease(TWO, manner);
    // Less than the minutes that a baseline looks back: what the proxy has counted since its start is all there is.
    site.clock.pass(4 * 60_000);
    return recorder;
  }

  async swap(): Promise<RunRecord> {
    return await this.record(await this.carryOut((await prepareSwap(this.site.deps, TWO)).plan, "jo (10.0.0.6)"));
  }

  async rollback(): Promise<RunRecord> {
    return await this.record(await this.carryOut((await prepareRollback(this.site.deps)).plan, "jo (10.0.0.6)"));
  }

  get store(): RunStore {
    return { paths: this.site.paths, clock: this.site.clock, random: (bytes) => new Uint8Array(bytes).fill((this.#random += 1)) };
  }

  /** The id of the run. */
  async carryOut(plan: Plan, who: string): Promise<string> {
    const tables = async (of: Plan, place: Parameters<NonNullable<RunTables["swap"]>>[1]) => {
      const { table, context } = swapTable({ ...this.site.deps, http: this.#http, events: place.events, who: place.who }, of, place.run);
      return bindTable(table, context, (outcome, resultOf) => swapReport(context, outcome, resultOf));
    };
    await savePlan(this.store, plan);
    const run = await beginRun(this.store, { plan: plan.id, who, kinds: ["swap", "rollback"], basisNow: async () => plan.basis });
    await executeRun(this.store, { swap: tables, rollback: tables }, new AbortController().signal);
    return run;
  }

  async record(run: string): Promise<RunRecord> {
    const { id, facts } = this.site.stack;
    const stack = { id, domain: facts.domain, blueprint: `${facts.blueprint.name} ${facts.blueprint.version}`, series: facts.series, images: facts.images };
    const record = await readRun(this.store, run, { host: "erp1", engine: "28.0.1", stack });
    // As it would arrive, and without the folder that this site happened to get.
    return runRecordSchema.parse(JSON.parse(JSON.stringify(record).replaceAll(this.site.paths.base, "/srv/millwright/acme-production")));
  }
}
