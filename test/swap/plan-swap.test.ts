import { describe, expect, it } from "vitest";
import { type Plan, planSchema } from "../../src/kernel/plan.ts";
import { classify } from "../../src/swap/classify.ts";
import { type PlanInput, planRollback, planSwap } from "../../src/swap/plan-swap.ts";
import { SWAP_STEPS } from "../../src/swap/swap-steps.ts";
import { releaseNamed } from "./fake-site.ts";

const ONE = releaseNamed("2026-11-24-1");
const TWO = releaseNamed("2026-11-24-2", { addons: { scale: { version: "1.3", content: "c2", schema: "s1" } } });
const FROM: PlanInput["from"] = {
  serving: { version: 1, colour: "blue", release: ONE.id, image: ONE.image, since: "2026-11-24T02:00:00.000Z", who: "jo", run: "run-1" },
  release: ONE,
};
const common = { id: "plan-1", basis: "basis-1", stack: "acme-production", bakeSeconds: 60, release: TWO };

const PLANS: readonly { readonly name: string; readonly plan: Plan }[] = [
  { name: "a swap", plan: planSwap({ ...common, classification: classify(ONE, TWO), from: FROM }) },
  {
    name: "a swap with a canary",
    plan: planSwap({ ...common, canary: { percent: [1, 10, 50], stageSeconds: 300 }, classification: classify(ONE, TWO), from: FROM }),
  },
  { name: "a first release", plan: planSwap({ ...common, classification: classify(undefined, TWO), from: undefined }) },
  {
    name: "a rollback to a stopped colour",
    plan: planRollback({ ...common, classification: classify(ONE, TWO), from: FROM, colour: "green", isRunning: false }),
  },
  {
    name: "a rollback to a running colour",
    plan: planRollback({ ...common, classification: classify(ONE, TWO), from: FROM, colour: "green", isRunning: true }),
  },
];

describe.each(PLANS)("the plan of $name", ({ plan }) => {
  it("is data, whole after it was written and read", () => {
    expect(planSchema.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
  });

  it("has code for every step, and says how a step is undone exactly where that code can", () => {
    for (const { id, kind, undo } of plan.steps) expect([id, SWAP_STEPS[kind]?.undo !== undefined]).toEqual([id, undo !== undefined]);
  });

  it("decides once, when the switch is proved", () => {
    const decided = plan.steps.filter((step) => step.decision === true).map((step) => step.id);
    const ids = plan.steps.map((step) => step.id);
    expect(decided).toEqual(["front"]);
    expect(ids.indexOf("front")).toBe(ids.indexOf("switch") + 1);
  });
});
