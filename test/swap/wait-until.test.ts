import { describe, expect, it } from "vitest";
import { waitUntil } from "../../src/swap/wait-until.ts";
import { FakeClock } from "../fakes/fake-clock.ts";

function waitFor(look: () => Promise<{ verdict: "pass" | "fail"; detail: string; answered?: boolean }>, clock: FakeClock, seconds = 180) {
  return waitUntil({ what: "all workers are warm", clock, signal: new AbortController().signal, seconds, pollMilliseconds: 100, alive: async () => {}, look });
}

describe("waiting for a colour", () => {
  it("gives up on wrong answers long before its time is over, and says what they were", async () => {
    const clock = new FakeClock();
    const began = clock.now();
    const waiting = waitFor(async () => ({ verdict: "fail", detail: "/web/login answered 500", answered: true }), clock);
    await expect(waiting).rejects.toMatchObject({ code: "RELEASE_UNHEALTHY", message: expect.stringContaining("/web/login answered 500") });
    expect(clock.now() - began).toBeLessThan(20_000);
  });

  it("asks a colour that answers wrongly less and less often", async () => {
    const clock = new FakeClock();
    let looks = 0;
    const waiting = waitFor(async () => {
      looks += 1;
      return { verdict: "fail", detail: "500", answered: true };
    }, clock);
    await expect(waiting).rejects.toThrow();
    expect(looks).toBeLessThan(15);
  });

  it("is patient with a colour that does not answer yet", async () => {
    const clock = new FakeClock();
    const ready = clock.now() + 60_000;
    const finding = await waitFor(async () => (clock.now() < ready ? { verdict: "fail", detail: "refused" } : { verdict: "pass", detail: "warm" }), clock);
    expect(finding.detail).toBe("warm");
  });
});
