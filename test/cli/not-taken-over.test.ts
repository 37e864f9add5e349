import { describe, expect, it } from "vitest";
import { notTakenOver } from "../../src/cli/not-taken-over.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import type { ErrorCode } from "../../src/kernel/error-codes.ts";

type Ended = Parameters<typeof notTakenOver>[1];

function told(code: ErrorCode, ended?: Partial<NonNullable<Ended>>): MillwrightError {
  const problem = new MillwrightError(code, "It went wrong.", { subject: "database", details: ["more"] });
  return notTakenOver(problem, ended === undefined ? undefined : { kind: "ended", at: "", run: "r", outcome: "undone", summary: "", ...ended });
}

describe("a takeover that did not end well, after the old host was fenced", () => {
  it("names the way back when its run has ended and nothing was promoted", () => {
    const problem = told("STANDBY_BEHIND", {});
    expect(problem).toMatchObject({ code: "STANDBY_BEHIND", message: "It went wrong.", subject: "database", details: ["more"] });
    expect(problem.hint).toContain("`millwright host fence --lift`");
  });

  it.each([["INTERRUPTED"], ["LINK_LOST"], ["LOCK_HELD"], ["RUN_STALLED"]] as const)(
    "does not, by %s, while it may go on: the plant would serve twice",
    (code) => {
      expect(told(code).hint).not.toContain("--lift");
      expect(told(code).hint).toContain("`millwright follow --standby`");
    },
  );

  it("does not once the promotion was begun, nor when the run stopped half-way", () => {
    for (const ended of [{ result: { isPromoted: true } }, { outcome: "failed" }] as const) {
      const { hint } = told("PROMOTION_OPEN", ended);
      expect(hint).not.toContain("--lift");
      expect(hint).toContain("`millwright failover`");
    }
  });
});
