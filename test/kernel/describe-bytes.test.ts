import { describe, expect, it } from "vitest";
import { describeBytes } from "../../src/kernel/describe-bytes.ts";

describe("an amount of bytes", () => {
  it("is told in the unit that a person would choose, and nothing is never told of something", () => {
    expect([0, 1, 999_000, 1e6, 123_456_789, 1e9, 1.255e12].map(describeBytes)).toEqual([
      "0 kB",
      "1 kB",
      "999 kB",
      "1.0 MB",
      "123.5 MB",
      "1.00 GB",
      "1255.00 GB",
    ]);
  });
});
