import { describe, expect, it } from "vitest";
import { glance } from "../../src/swap/glance.ts";
import { FakeClock } from "../fakes/fake-clock.ts";

describe("a glance", () => {
  it("looks no more often than it is told to, and shows what it saw last in between", async () => {
    const clock = new FakeClock();
    let looks = 0;
    const look = glance(clock, 500, async () => (looks += 1));
    const seen: number[] = [];
    for (let time = 0; time <= 1000; time += 100) {
      seen.push(await look());
      clock.pass(100);
    }
    expect(seen).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3]);
  });

  it("looks again at once where there was nothing to see", async () => {
    let looks = 0;
    const look = glance(new FakeClock(), 500, async () => {
      looks += 1;
      if (looks < 3) throw new Error("no address yet");
      return looks;
    });
    await expect(look()).rejects.toThrow("no address yet");
    await expect(look()).rejects.toThrow("no address yet");
    expect(await look()).toBe(3);
  });
});
