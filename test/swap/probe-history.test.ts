import * as fc from "../properties.ts";
import { describe, expect, it } from "vitest";
import { type ProbeHistory, probeHistory } from "../../src/swap/probe-history.ts";
import type { ProbeVerdict } from "../../src/swap/probes/probe.ts";

const RULES = { failAfter: 3, passAfter: 2, flaps: 4, window: 10 };
/** `+` passes, `-` fails, `?` could not look. */
const looks = (text: string): readonly ProbeVerdict[] => text.split("").map((look) => (look === "+" ? "pass" : look === "-" ? "fail" : "unknown"));
const history = (text: string): ProbeHistory => probeHistory(looks(text), RULES);

describe("a probe over many looks", () => {
  it.each([
    ["", "passing"],
    ["+++++", "passing"],
    ["++-", "unsettled"],
    ["++--", "unsettled"],
    ["++---", "failing"],
    ["---+", "failing"],
    ["---++", "passing"],
    ["--+", "unsettled"],
    ["--++", "passing"],
    ["--+--", "unsettled"],
    ["-?-?-", "failing"],
    ["???", "passing"],
    ["-?+?+", "passing"],
  ] as const)("%s is %s", (text, state) => {
    expect(history(text).state).toBe(state);
  });

  it("flaps when it changes often, and not for ever", () => {
    expect(history("+-+-+")).toMatchObject({ changes: 4, isFlapping: true });
    expect(history("+-+-")).toMatchObject({ changes: 3, isFlapping: false });
    expect(history("+-+-++++++++++")).toMatchObject({ changes: 0, isFlapping: false });
  });

  it("is never decided against by fewer failures in a row than the rule has", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("+", "-", "?")), (sequence) => {
        const text = sequence.join("");
        if (!/(-\??){3}/.test(text.replaceAll("?", ""))) expect(history(text).state).not.toBe("failing");
      }),
    );
  });
});
