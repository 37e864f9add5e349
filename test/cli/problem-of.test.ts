import { describe, expect, it } from "vitest";
import { problemOf } from "../../src/cli/problem-of.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";

const interrupted = AbortSignal.abort(new MillwrightError("INTERRUPTED", "Interrupted."));
const quiet = new AbortController().signal;

describe("what is reported of a failure", () => {
  it("is the failure", () => {
    expect(problemOf(new MillwrightError("LOCK_HELD", "busy"), quiet).code).toBe("LOCK_HELD");
  });

  it("is the Ctrl-C, not what broke because of it", () => {
    expect(problemOf(new MillwrightError("LINK_LOST", "gone"), interrupted)).toMatchObject({ code: "INTERRUPTED", exit: 130 });
  });

  it("is what the interrupted command says of it: what goes on, and how to watch it", () => {
    const hint = "Watch it with `millwright follow`.";
    expect(problemOf(new MillwrightError("INTERRUPTED", "Stopped following.", { hint }), interrupted)).toMatchObject({ message: "Stopped following.", hint });
  });
});
