import { describe, expect, it } from "vitest";
import { clockDoubt } from "../../src/recovery/clock-doubt.ts";
import { prepareRecovery } from "../../src/recovery/prepare-recovery.ts";
import { FakePlant } from "./fake-plant.ts";

const now = Date.parse("2031-05-01T02:30:00.000Z");
const run = (began: string, outcome = "done") => ({ kind: "deploy", outcome, began });

describe("a clock", () => {
  it("is doubted when it is months after all that the host has done", () => {
    const said = "This host's clock says 2031-05-01T02:30Z, 61 days after all that it has ever done.";
    expect(clockDoubt({ records: [{ at: "2026-11-29T02:30:00.000Z" }], runs: [run("2031-03-01T02:00:00.000Z")] }, now)).toBe(said);
  });

  it("is believed after holidays, after a run of late, on a new host, and when it is behind", () => {
    const old = { at: "2026-11-29T02:30:00.000Z" };
    expect(clockDoubt({ records: [{ at: "2031-03-15T02:30:00.000Z" }], runs: [] }, now)).toBeUndefined();
    expect(clockDoubt({ records: [old], runs: [run("2031-04-30T09:00:00.000Z")] }, now)).toBeUndefined();
    expect(clockDoubt({ records: [], runs: [] }, now)).toBeUndefined();
    expect(clockDoubt({ records: [{ at: "2031-06-01T02:30:00.000Z" }], runs: [] }, now)).toBeUndefined();
  });

  it("is not vouched for by what failed because of it", () => {
    expect(clockDoubt({ records: [{ at: "2026-11-29T02:30:00.000Z" }], runs: [run("2031-05-01T01:30:00.000Z", "undone")] }, now)).toContain("1614 days");
  });
});

describe("a backup by a clock that is doubted", () => {
  it("fails as a run before it has begun anything: history and status tell why", async () => {
    using plant = await FakePlant.make();
    const { plan } = await prepareRecovery(plant.deps, { kind: "backup", full: false, bySchedule: true, doubt: "It is 2031." });
    plant.asked.length = 0;
    expect(await plant.run(plan)).toMatchObject({ outcome: "undone", error: { code: "CLOCK_DOUBTED", message: "It is 2031." } });
    expect(plant.asked).toEqual([]);
  });
});
