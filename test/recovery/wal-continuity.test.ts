import * as fc from "../properties.ts";
import { describe, expect, it } from "vitest";
import { findGaps, isBefore, isWithin } from "../../src/recovery/wal-continuity.ts";

const segment = (index: number, timeline = 1): string =>
  [timeline, Math.floor(index / 256), index % 256].map((part) => part.toString(16).toUpperCase().padStart(8, "0")).join("");
const range = (from: number, to: number, timeline = 1): string[] => Array.from({ length: to - from + 1 }, (_, index) => segment(from + index, timeline));
const backup = (first: number, last: number, timeline = 1) => ({ firstSegment: segment(first, timeline), lastSegment: segment(last, timeline) });

describe("the archived log", () => {
  it("is whole when each segment follows the one before, also past FF", () => {
    expect(findGaps(range(250, 520), [backup(251, 252)])).toEqual([]);
  });

  it("has a hole where segments are missing, and says how many", () => {
    const archived = [...range(4, 254), ...range(258, 300)];
    expect(findGaps(archived, [backup(4, 5)])).toEqual([{ before: segment(254), after: segment(258), missing: 3 }]);
  });

  it("may have holes before the oldest backup: nothing is restored from there", () => {
    expect(findGaps([...range(1, 2), ...range(9, 20)], [backup(10, 11)])).toEqual([]);
  });

  it("lacks what a backup needs although nothing is missing in between", () => {
    expect(findGaps(range(6, 20), [backup(5, 6)])).toEqual([{ before: undefined, after: segment(5), missing: 1 }]);
    expect(findGaps(range(5, 6), [backup(5, 7)])).toEqual([{ before: undefined, after: segment(7), missing: 1 }]);
    expect(findGaps([], [backup(5, 5)])).toEqual([{ before: undefined, after: segment(5), missing: 1 }]);
  });

  it("begins anew with each timeline", () => {
    const archived = [...range(4, 10), ...range(10, 14, 2)];
    expect(findGaps(archived, [backup(4, 5)])).toEqual([]);
    expect(findGaps([...archived, segment(16, 2)], [backup(4, 5)])).toEqual([{ before: segment(14, 2), after: segment(16, 2), missing: 1 }]);
  });

  it("has nothing before a backup that the backup needs, unless it is the backup's own", () => {
    expect(isBefore({ before: segment(4), after: segment(8), missing: 3 }, segment(8))).toBe(true);
    expect(isBefore({ before: segment(4), after: segment(9), missing: 4 }, segment(8))).toBe(false);
    expect(isBefore({ before: undefined, after: segment(8), missing: 1 }, segment(8))).toBe(false);
    expect(isBefore({ before: segment(40), after: segment(44), missing: 3 }, segment(8, 2))).toBe(true);
  });

  it("has a hole within a backup when one of the backup's own segments is in it", () => {
    expect(isWithin({ before: segment(4), after: segment(8), missing: 3 }, backup(3, 5))).toBe(true);
    expect(isWithin({ before: segment(4), after: segment(8), missing: 3 }, backup(3, 4))).toBe(false);
    expect(isWithin({ before: segment(4), after: segment(8), missing: 3 }, backup(8, 9))).toBe(false);
    expect(isWithin({ before: undefined, after: segment(8), missing: 1 }, backup(8, 9))).toBe(true);
    expect(isWithin({ before: undefined, after: segment(9), missing: 1 }, backup(8, 9))).toBe(true);
    expect(isWithin({ before: undefined, after: segment(7), missing: 1 }, backup(8, 9))).toBe(false);
  });

  it("is not looked at while there is no backup, and other files in it are passed over", () => {
    expect(findGaps([segment(1), segment(9)], [])).toEqual([]);
    expect(findGaps([segment(1), "00000002.history", segment(2)], [backup(1, 1)])).toEqual([]);
  });

  it("loses no hole, wherever it is and however the names are listed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 3, max: 400 }), fc.nat(), (from, length, at) => {
        const all = range(from, from + length);
        const lost = 1 + (at % (length - 1));
        const archived = all.filter((_, index) => index !== lost).reverse();
        expect(findGaps(archived, [backup(from, from)])).toEqual([{ before: segment(from + lost - 1), after: segment(from + lost + 1), missing: 1 }]);
      }),
    );
  });
});
