import * as fc from "../../properties.ts";
import { describe, expect, it } from "vitest";
import { clockOf, linearScale, shortNumber, timeScale } from "../../../src/observe/report/scale.ts";

describe("a scale", () => {
  it("ends at a round number at or above the highest value, with a few marks from 0", () => {
    expect(linearScale(93, 0, 100).ticks).toEqual([0, 25, 50, 75, 100]);
    expect(linearScale(0.7, 0, 100).ticks.map(shortNumber)).toEqual(["0", "0.2", "0.4", "0.6", "0.8"]);
    expect(linearScale(40, 0, 100).ticks).toEqual([0, 10, 20, 30, 40]);
    expect(linearScale(0, 0, 100).ticks).toEqual([0, 1]);
  });

  it("keeps every value inside the picture, with at most six marks", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (highest) => {
        const { place, ticks, top } = linearScale(highest, 200, 0);
        expect(top).toBeGreaterThanOrEqual(highest * (1 - 1e-9));
        expect(ticks.length).toBeLessThanOrEqual(6);
        expect(place(highest)).toBeGreaterThanOrEqual(-1e-6);
        expect(place(0)).toBe(200);
      }),
    );
  });

  it("of time marks whole seconds, minutes or hours", () => {
    expect(timeScale(65, 0, 100).ticks).toEqual([0, 10, 20, 30, 40, 50, 60]);
    expect(timeScale(400, 0, 100).ticks).toEqual([0, 60, 120, 180, 240, 300, 360]);
    expect(timeScale(0.4, 0, 100).ticks).toEqual([0, 1]);
    expect(timeScale(12 * 3600, 0, 100).ticks).toHaveLength(7);
  });
});

describe("numbers in a picture", () => {
  it("are as short as an eye can use", () => {
    expect([0, 0.1234, 12.34, 456.7].map(shortNumber)).toEqual(["0", "0.12", "12.3", "457"]);
    expect([5, 60, 125, 3725].map(clockOf)).toEqual(["5 s", "1:00", "2:05", "1:02:05"]);
  });
});
