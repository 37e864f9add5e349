import { expect, it } from "vitest";
import { runUnit } from "../../src/agent/run-unit.ts";

it("a run has a lower weight than what has none of its own, as the containers that people use", () => {
  const [, weight = "100"] = /^CPUWeight=(\d+)$/m.exec(runUnit("growing")) ?? [];
  expect(Number(weight)).toBeLessThan(100);
});
