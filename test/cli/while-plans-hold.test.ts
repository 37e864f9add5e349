import { beforeEach, describe, expect, it } from "vitest";
import type { CliContext } from "../../src/cli/context.ts";
import { Output } from "../../src/cli/output.ts";
import { whilePlansHold } from "../../src/cli/while-plans-hold.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";

let said: string;
let asked: number;

beforeEach(() => {
  said = "";
  asked = 0;
});

function context(environment: Readonly<Record<string, string>> = {}): CliContext {
  const stderr = { write: (text: string): void => void (said += text) };
  return {
    directory: "/",
    environment,
    home: "/",
    configDirectory: "/",
    input: undefined,
    user: "ann",
    interactive: false,
    output: new Output({ mode: "text", streams: { stdout: { write: () => {} }, stderr }, colour: false, live: false, debug: false }),
    clock: systemClock,
    signal: new AbortController().signal,
  };
}

/** A host that changes under the first plans. */
function staleTimes(times: number, code: "PLAN_STALE" | "LOCK_HELD" = "PLAN_STALE"): () => Promise<string> {
  return async () => {
    asked += 1;
    if (asked <= times) throw new MillwrightError(code, "changed");
    return "done";
  };
}

describe("a plan that is stale when it is to be carried out", () => {
  it("is made again by itself for whoever said yes beforehand, and said", async () => {
    expect(await whilePlansHold({ yes: true }, context(), staleTimes(2))).toBe("done");
    expect(asked).toBe(3);
    expect(said).toContain("planning again");
  });

  it("is made again when the yes stands in the environment", async () => {
    expect(await whilePlansHold({}, context({ MILLWRIGHT_YES: "1" }), staleTimes(1))).toBe("done");
  });

  it("is told to whoever was asked about the plan that was shown", async () => {
    await expect(whilePlansHold({}, context(), staleTimes(1))).rejects.toMatchObject({ code: "PLAN_STALE" });
    expect(asked).toBe(1);
  });

  it("is given up when the host goes on changing", async () => {
    await expect(whilePlansHold({ yes: true }, context(), staleTimes(99))).rejects.toMatchObject({ code: "PLAN_STALE" });
    expect(asked).toBe(5);
  });

  it("is not made again for another reason", async () => {
    await expect(whilePlansHold({ yes: true }, context(), staleTimes(1, "LOCK_HELD"))).rejects.toMatchObject({ code: "LOCK_HELD" });
    expect(asked).toBe(1);
  });
});
