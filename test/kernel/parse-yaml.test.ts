import { describe, expect, it } from "vitest";
import { parseYaml } from "../../src/kernel/parse-yaml.ts";

describe("YAML from a file that a person may have edited", () => {
  it("is data", () => {
    expect(parseYaml("a: [1, x]\n")).toEqual({ kind: "data", data: { a: [1, "x"] } });
  });

  it.each([
    ["what is no YAML", "a: ["],
    ["a key that is there twice", "a: 1\na: 2\n"],
    ["an alias that refers to nothing", "a: *nothing\n"],
    ["aliases that multiply", `a: &a [${"x,".repeat(50)}]\nb: &b [${"*a,".repeat(50)}]\nc: [${"*b,".repeat(50)}]\n`],
    ["a tag that nobody knows", "a: !unknown b\n"],
  ])("is a fault in one line for %s", (_what, text) => {
    expect(parseYaml(text)).toEqual({ kind: "fault", fault: expect.stringMatching(/^.+$/) });
  });
});
