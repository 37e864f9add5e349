import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import type { Plan } from "../../src/kernel/plan.ts";
import { planFence, planLift } from "../../src/recovery/plan-failover.ts";
import { planBackup, planDrill, planRestore } from "../../src/recovery/plan-recovery.ts";
import { Cut, FakePlant, RECORD, STACK } from "./fake-plant.ts";

const HEAD = { id: "plan", stack: STACK, basis: "basis" };
const RELEASE = RECORD.release;
const UP = [`${STACK}-blue/cron`, `${STACK}-blue/web`, `${STACK}/backup`, `${STACK}/database`, `${STACK}/edge`];
const ON_A_NEW_HOST = UP.filter((name) => name.startsWith(`${STACK}/`));
const AS_IT_WAS = { rows: "present", files: "present", isArchiving: true, routed: "blue", running: UP, astray: [], scratch: [] };
const FENCED = { ...AS_IT_WAS, running: [], routed: "nobody" };
const RESTORED = { ...AS_IT_WAS, rows: "restored", files: "restored" };

interface Scenario {
  readonly name: string;
  readonly plan: Plan;
  readonly make?: () => Promise<FakePlant>;
  readonly prepare?: (plant: FakePlant) => void;
  readonly ends: readonly (typeof AS_IT_WAS)[];
}

const restore = planRestore(HEAD, { from: "local", release: RELEASE, colour: "blue", backup: RECORD, target: { kind: "latest" }, isBeside: false });

async function makeFenced(): Promise<FakePlant> {
  const plant = await FakePlant.make();
  await plant.run(planFence(HEAD, "blue"));
  plant.journalEntries.length = 0;
  return plant;
}

const SCENARIOS: readonly Scenario[] = [
  { name: "a restore", plan: restore, ends: [AS_IT_WAS, RESTORED] },
  {
    name: "a restore of what the plant does not start on",
    plan: restore,
    prepare: (plant) => {
      plant.isUnfit = (word) => word === "restored";
    },
    ends: [AS_IT_WAS],
  },
  {
    name: "a drill",
    plan: planDrill(HEAD, { from: "local", release: RELEASE, backup: RECORD, target: { kind: "latest" } }),
    ends: [AS_IT_WAS],
  },
  {
    name: "a restore to a new host",
    plan: planRestore(HEAD, { from: "local", release: RELEASE, colour: undefined, backup: RECORD, target: { kind: "latest" }, isBeside: false }),
    make: () => FakePlant.makeNew(),
    ends: [
      { ...AS_IT_WAS, running: ON_A_NEW_HOST, routed: "nobody" },
      { ...RESTORED, running: ON_A_NEW_HOST, routed: "nobody" },
    ],
  },
  {
    name: "the fencing of a host",
    plan: planFence(HEAD, "blue"),
    ends: [AS_IT_WAS, FENCED],
  },
  {
    name: "the fencing of a host that is well",
    plan: planFence(HEAD, "blue", { isWell: true }),
    prepare: (plant) => {
      plant.hasOffsite = true;
    },
    ends: [AS_IT_WAS, FENCED],
  },
  {
    name: "the fencing of a host that keeps what served at an earlier one",
    plan: planFence(HEAD, "blue"),
    prepare: (plant) => {
      const earlier = { version: 1, colour: "green", release: "r0", image: RELEASE.image, since: "", who: "", run: "run-0" };
      writeFileSync(join(plant.paths.state, "served.json"), JSON.stringify(earlier));
    },
    ends: [AS_IT_WAS, FENCED],
  },
  {
    name: "the fencing of a host that is fenced",
    plan: planFence(HEAD, undefined, { isAgain: true }),
    make: makeFenced,
    ends: [FENCED],
  },
  {
    name: "the end of a fence",
    plan: planLift(HEAD, "blue"),
    make: makeFenced,
    ends: [AS_IT_WAS, FENCED],
  },
  { name: "a backup", plan: planBackup(HEAD, { type: "full", release: RELEASE, cause: "asked for", hasOffsite: false }), ends: [AS_IT_WAS] },
];

/** Runs until the given point and cuts there as a killed process does; false when the run ended before it. */
async function runUntil(plant: FakePlant, plan: Plan, point: number): Promise<boolean> {
  const controller = new AbortController();
  let count = 0;
  plant.atPoint = () => {
    count += 1;
    if (count < point) return;
    controller.abort(new Cut());
    throw new Cut();
  };
  const isCut = await plant.run(plan, { signal: controller.signal }).then(
    () => false,
    () => true,
  );
  plant.atPoint = () => {};
  return isCut;
}

describe.each(SCENARIOS)("$name, cut anywhere", ({ plan, make = () => FakePlant.make(), prepare, ends }) => {
  it("ends with the plant as it was or as it shall be, whole", { timeout: 120_000 }, async () => {
    const seen = new Set<number>();
    for (let point = 1; ; point += 1) {
      using plant = await make();
      prepare?.(plant);
      const isCut = await runUntil(plant, plan, point);
      if (isCut) expect(["done", "undone"], `outcome after point ${point}`).toContain((await plant.run(plan)).outcome);
      const whole = await plant.whole();
      expect(ends, `after point ${point}`).toContainEqual(whole);
      for (const [index, end] of ends.entries()) if (isDeepStrictEqual(whole, end)) seen.add(index);
      if (!isCut) break;
    }
    expect(seen.size).toBe(ends.length);
  });
});

describe("a restore that is aborted anywhere", () => {
  it("is taken back until users were led to it, and never after: what they have written since would be lost", { timeout: 120_000 }, async () => {
    for (let point = 1; ; point += 1) {
      using plant = await FakePlant.make();
      const isCut = await runUntil(plant, restore, point);
      const isLed = plant.journalEntries.some(({ kind, step }) => kind === "done" && step === "lead-back");
      if (!isCut) break;
      await plant.run(restore, { abort: true });
      expect(await plant.whole(), `after point ${point}`).toEqual(isLed ? RESTORED : AS_IT_WAS);
    }
  });
});
