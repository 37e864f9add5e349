import * as fc from "../properties.ts";
import { stringify } from "yaml";
import { describe, expect, it } from "vitest";
import { toYaml } from "../../src/blueprint/to-yaml.ts";
import type { Json } from "../../src/kernel/canonical.ts";

const library = (value: Json): string => stringify(value, { compat: "yaml-1.1", lineWidth: 0, aliasDuplicateObjects: false });

const near = fc.stringMatching(/^[a-zA-Z0-9_/. :#"'$-]{0,12}$/);
const beginnings = fc.stringMatching(/^(\.\.?\/?|--?-?|\$|:|[0-9]{1,5}:|[0-9]\.)[a-z0-9_.:/={}$ -]{0,6}$/);
const words = fc.constantFrom(
  ..."yes No NULL ~ y on 0x1f 1e3 e0 E-1 1_000 12:30:45 2026-11-24 007 .inf 10s 1.2.3.4 5 << = a:".split(" "),
  "a: b",
  "a #b",
  "- a",
  "--- a",
  "a\nb",
  "a\n",
);
const text = fc.oneof(near, beginnings, words, fc.string(), fc.string({ unit: "binary" }));
const { branch } = fc.letrec<{ value: Json; branch: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    { arbitrary: text, weight: 4 },
    fc.oneof(fc.integer(), fc.double(), fc.constantFrom(-0, 2 ** 53, 0.05, 1.5, 1e-7, 1e21)),
    fc.constantFrom(true, false, null),
    tie("branch"),
  ),
  branch: fc.oneof(fc.array(tie("value"), { maxLength: 4 }), fc.dictionary(fc.oneof(near, words, fc.string()), tie("value"), { maxKeys: 4 })),
}));

describe("toYaml", () => {
  it("writes what the library writes, byte for byte", () => {
    fc.assert(
      fc.property(branch, (data) => {
        expect(toYaml(data)).toBe(library(data));
      }),
      { numRuns: 2000 },
    );
  });

  it("leaves out a key without a value, as the library does", () => {
    expect(toYaml({ a: "x", b: undefined } as unknown as Json)).toBe("a: x\n");
  });
});
