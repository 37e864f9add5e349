import { execFileSync } from "node:child_process";
import * as fc from "../properties.ts";
import { describe, expect, it } from "vitest";
import { fillTemplate } from "../../src/blueprint/template.ts";

const view = { name: "x", on: true, off: false };

/** What each format's own reader makes of one value. */
const READERS = {
  // Python's RawConfigParser strips the value; Odoo takes some words for booleans.
  ini: (line: string) => line.trim(),
  // PostgreSQL's GUC_scanstr.
  pg: (line: string) => line.slice(1, -1).replaceAll(/''|\\(.)/gs, (match, escaped: string | undefined) => (match === "''" ? "'" : (escaped ?? ""))),
  // Redis' sdssplitargs, double-quoted.
  redis: (line: string) => line.slice(1, -1).replaceAll(/\\(.)/gs, "$1"),
  json: (line: string) => JSON.parse(line) as string,
} as const;

const word = fc.string({ unit: "grapheme", maxLength: 40 });

describe("fillTemplate", () => {
  it("does not escape for HTML", () => {
    expect(fillTemplate("{{v}}", { v: `a&b<'">=\`` }, "f")).toBe(`a&b<'">=\``);
  });

  it.each([
    ["a missing value", "{{gone}}"],
    ["a missing condition, which strict mode lets pass", "{{#if gone}}x{{/if}}"],
    ["a missing condition inside another", "{{#if on}}{{#unless gone.x}}y{{/unless}}{{/if}}"],
    ["a missing list", "{{#each gone}}x{{/each}}"],
    ["a missing argument of a helper", "{{pg gone}}"],
    ["a helper that is not ours", "{{lookup name 0}}"],
    ["a partial", "{{> other}}"],
    ["a condition that is no path of the view", "{{#if toString}}x{{/if}}"],
  ])("refuses %s and names the file", (_, template) => {
    expect(() => fillTemplate(template, view, "parts/x/y.hbs")).toThrow(/parts\/x\/y\.hbs/);
  });

  it("takes the branch of a condition", () => {
    expect(fillTemplate("{{#if on}}a{{else}}b{{/if}}{{#unless off}}c{{/unless}}", view, "f")).toBe("ac");
  });

  it.each(Object.entries(READERS))("writes any text for %s as its reader gives it back, or refuses it", (helper, read) => {
    fc.assert(
      fc.property(word, (value) => {
        let line: string;
        try {
          line = fillTemplate(`{{${helper} value}}`, { value }, "f");
        } catch {
          return;
        }
        expect(read(line)).toBe(value);
        expect(line).not.toContain("\n");
      }),
    );
  });

  it("writes any text for a shell as one word", () => {
    const values = fc.sample(word, 40);
    const quoted = values.flatMap((value) => {
      try {
        return [{ value, line: fillTemplate("{{sh value}}", { value }, "f") }];
      } catch {
        return [];
      }
    });
    const printed = execFileSync("sh", ["-c", `printf '%s\\n' ${quoted.map(({ line }) => line).join(" ")}`], { encoding: "utf8" });
    expect(printed.split("\n").slice(0, -1)).toEqual(quoted.map(({ value }) => value));
  });

  it.each(["a\nb", "a\rb", "a\u0000b"])("refuses a control character in every line-based format: %j", (value) => {
    for (const helper of ["ini", "pg", "redis", "sh"]) expect(() => fillTemplate(`{{${helper} value}}`, { value }, "f")).toThrow(/control character/);
  });

  it.each(["True", "false", "None", " a", "a ", ""])("refuses for odoo.conf what Odoo would not read as that text: %j", (value) => {
    expect(() => fillTemplate("{{ini value}}", { value }, "f")).toThrow(/odoo\.conf/);
  });
});
