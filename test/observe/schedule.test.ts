import { describe, expect, it } from "vitest";
import { inOrderOfTime, timersToCome } from "../../src/observe/schedule.ts";

describe("the host's timers", () => {
  it("are told by what they do, when they are set", () => {
    const output = JSON.stringify([
      {
        next: 1795500720000000,
        left: 1795500720000000,
        last: 1795415000000000,
        passed: 1795415000000000,
        unit: "apt-daily-upgrade.timer",
        activates: "apt-daily-upgrade.service",
      },
      { next: null, left: null, last: 0, passed: 0, unit: "apt-daily.timer", activates: "x.service" },
      { next: 1795500000000000, unit: "plant-check.timer", activates: "y.service" },
    ]);
    expect(inOrderOfTime(timersToCome(output))).toEqual([
      { at: "2026-11-24T06:00:00.000Z", what: "plant-check" },
      { at: "2026-11-24T06:12:00.000Z", what: "security updates of the host" },
    ]);
  });

  it("are none on a machine that systemd does not run", () => {
    expect(timersToCome("")).toEqual([]);
  });
});
