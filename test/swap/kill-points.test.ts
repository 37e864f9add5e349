import { describe, expect, it } from "vitest";
import type { StackFacts } from "../../src/blueprint/stack.ts";
import type { Plan } from "../../src/kernel/plan.ts";
import { prepareRollback, prepareSwap } from "../../src/swap/prepare-swap.ts";
import { sayGo } from "../../src/swap/preview-file.ts";
import { Cut, FakeSite, type Manner, releaseNamed } from "./fake-site.ts";

const ONE = releaseNamed("2026-11-24-1");
const TWO = releaseNamed("2026-11-24-2", { addons: { scale: { version: "1.3", content: "c2", schema: "s1" } } });

interface Scenario {
  readonly name: string;
  readonly make: () => Promise<{ readonly site: FakeSite; readonly plan: Plan }>;
  /** The two whole states that are allowed at the end. */
  readonly old: string;
  readonly next: string;
}

async function swapWith(manner: Manner, facts: Partial<StackFacts> = {}): Promise<{ site: FakeSite; plan: Plan }> {
  const site = await FakeSite.make(facts);
  site.addRelease(ONE);
  await site.run((await prepareSwap(site.deps, ONE)).plan, { run: "run-0" });
  site.addRelease(TWO, manner);
  return { site, plan: (await prepareSwap(site.deps, TWO)).plan };
}

async function canaryWith(manner: Manner): Promise<{ site: FakeSite; plan: Plan }> {
  const { swap } = (await FakeSite.make()).stack.facts;
  return await swapWith(manner, { swap: { ...swap, canary: { percent: [10, 50], stageSeconds: 10 } } });
}

/** A person says go at once, or never. */
async function previewWith(manner: Manner, hasGo: boolean): Promise<{ site: FakeSite; plan: Plan }> {
  const { site } = await swapWith(manner);
  if (hasGo) await sayGo(site.paths, "run-1", "jo");
  return { site, plan: (await prepareSwap(site.deps, TWO, { previewSeconds: 20 })).plan };
}

async function firstWith(manner: Manner): Promise<{ site: FakeSite; plan: Plan }> {
  const site = await FakeSite.make();
  site.database.filled = false;
  site.addRelease(ONE, manner);
  return { site, plan: (await prepareSwap(site.deps, ONE)).plan };
}

const SCENARIOS: readonly Scenario[] = [
  { name: "a swap to a good release", make: () => swapWith({}), old: "blue", next: "green" },
  { name: "a swap to a release that loses its bake", make: () => swapWith({ breaksAfter: 4 }), old: "blue", next: "blue" },
  { name: "a swap to a release that fails its probes", make: () => swapWith({ login: 500 }), old: "blue", next: "blue" },
  { name: "a canary of a good release", make: () => canaryWith({}), old: "blue", next: "green" },
  { name: "a canary of a release that breaks in it", make: () => canaryWith({ breaksAfter: 12 }), old: "blue", next: "blue" },
  { name: "a preview of a good release", make: () => previewWith({}, true), old: "blue", next: "green" },
  { name: "a preview that nobody says go to", make: () => previewWith({}, false), old: "blue", next: "blue" },
  { name: "a first release", make: () => firstWith({}), old: "none", next: "blue" },
  { name: "a first release that fails its probes", make: () => firstWith({ login: 500 }), old: "none", next: "none" },
  {
    name: "a rollback",
    make: async () => {
      const { site, plan } = await swapWith({});
      await site.run(plan, { run: "run-00" });
      return { site, plan: (await prepareRollback(site.deps)).plan };
    },
    old: "green",
    next: "blue",
  },
];

/** Runs until the given point and cuts there as a killed process does; false when the run ended before it. */
async function runUntil(site: FakeSite, plan: Plan, point: number): Promise<boolean> {
  const controller = new AbortController();
  let count = 0;
  site.atPoint = () => {
    count += 1;
    if (count < point) return;
    controller.abort(new Cut());
    throw new Cut();
  };
  const isCut = await site.run(plan, { signal: controller.signal }).then(
    () => false,
    () => true,
  );
  site.atPoint = () => {};
  return isCut;
}

describe.each(SCENARIOS)("$name, cut anywhere", ({ make, old, next }) => {
  it("ends in the old state or the new one, whole", { timeout: 120_000 }, async () => {
    const seen = new Set<string>();
    for (let point = 1; ; point += 1) {
      const { site, plan } = await make();
      const isCut = await runUntil(site, plan, point);
      // While nobody works on it, users must be served all the same.
      expect((await site.whole()).isServed, `users at point ${point}`).toBe(true);
      if (isCut) {
        const { outcome } = await site.run(plan);
        expect(["done", "undone"], `outcome after point ${point}`).toContain(outcome);
      }
      const { routed, serving, cron, isServed } = await site.whole();
      expect({ routed, serving, cron, isServed }, `after point ${point}`).toEqual({
        routed,
        serving: routed,
        cron: routed === "none" ? [] : [routed],
        isServed: true,
      });
      expect([old, next]).toContain(routed);
      // Nobody is led to the other colour by a rule of a canary or a preview.
      expect(await site.routing(), `routes after point ${point}`).not.toMatch(/canary|preview/);
      expect(site.database.exists, `database after point ${point}`).toBe(true);
      seen.add(routed);
      if (!isCut) break;
    }
    expect([...seen].sort()).toEqual([...new Set([old, next])].sort());
  });
});

describe("a cut while the old scheduled jobs are ending", () => {
  it("leaves them running in the end, although Odoo still ends when the undo begins", async () => {
    const { site, plan } = await swapWith({});
    site.docker.behave("acme-production-blue/cron", { endsAfter: 5000 });
    const signal = site.docker.signal.bind(site.docker);
    const controller = new AbortController();
    site.docker.signal = async (id, name) => {
      await signal(id, name);
      site.docker.signal = signal;
      controller.abort(new Cut());
      throw new Cut();
    };

    await expect(site.run(plan, { signal: controller.signal })).rejects.toThrow();
    await site.run(plan);
    await site.clock.sleep(10_000);

    expect((await site.whole()).cron).toEqual(["blue"]);
  });
});
