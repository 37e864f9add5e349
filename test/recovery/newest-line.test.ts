import { describe, expect, it } from "vitest";
import { leadsTo, newestLine } from "../../src/recovery/newest-line.ts";

const on = (timeline: number, end: string) => ({ firstSegment: `0000000${timeline}0000000000000005`, end });
// Line 2 and 3 both began on line 1: what was restored first was left again for an earlier moment.
const HISTORY = "1\t0/7000028\tbefore 2026-11-24 14:00:00+00\n\n3\t1/5000138\tno recovery target specified\n";

describe("the newest line of the log", () => {
  const line = newestLine(4, HISTORY);

  it("goes on from a backup on it, and from one on a line before it that had ended when that was left", () => {
    expect(leadsTo(on(4, "2/0"), line)).toBe(true);
    expect(leadsTo(on(3, "1/5000138"), line)).toBe(true);
    expect(leadsTo(on(1, "0/7000028"), line)).toBe(true);
  });

  it("does not go on from one that was made after its line was left, nor from a side branch", () => {
    expect(leadsTo(on(1, "0/7000029"), line)).toBe(false);
    expect(leadsTo(on(3, "2/0"), line)).toBe(false);
    expect(leadsTo(on(2, "0/1"), line)).toBe(false);
  });

  it("is held against what the repository tells: a backup whose end it does not tell is not left out", () => {
    expect(leadsTo({ firstSegment: on(1, "").firstSegment }, line)).toBe(true);
  });
});
