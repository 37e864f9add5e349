import { afterEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/kernel/clock.ts";

afterEach(() => void vi.useRealTimers());

describe("the system's clock", () => {
  it("tells the time of day", () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
  });

  it("goes on evenly when somebody sets the time of day", () => {
    const before = systemClock.now();
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(before + 3600_000);
    expect(systemClock.now() - before).toBeLessThan(60_000);
  });

  it("counts in whole milliseconds", () => {
    expect(Number.isInteger(systemClock.now())).toBe(true);
  });
});
