import * as fc from "../properties.ts";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { escapeDollars } from "../../src/blueprint/compose-document.ts";
import { interpolate } from "../../src/blueprint/interpolate.ts";
import { toYaml } from "../../src/blueprint/to-yaml.ts";

const view = { name: "acme", port: 8069, tls: { on: true, off: false }, list: ["a", 1], nested: { text: "{{name}}" } };

describe("interpolate", () => {
  it("keeps the type of a scalar that is exactly one expression", () => {
    expect(interpolate({ a: "{{port}}", b: "{{ tls.on }}", c: "{{list}}" }, view, "f")).toEqual({ a: 8069, b: true, c: ["a", 1] });
  });

  it("fills expressions inside a text as text", () => {
    expect(interpolate({ a: "{{name}}:{{port}}" }, view, "f")).toEqual({ a: "acme:8069" });
  });

  it("does not read a value as a template", () => {
    expect(interpolate({ a: "{{nested.text}}", b: "x {{nested.text}}" }, view, "f")).toEqual({ a: "{{name}}", b: "x {{name}}" });
  });

  it("leaves out a map whose x-when is false, and the mark itself when it is true", () => {
    expect(
      interpolate(
        {
          list: [
            { "x-when": "tls.off", a: 1 },
            { "x-when": "tls.on", b: 2 },
          ],
          key: { "x-when": "tls.off" },
        },
        view,
        "f",
      ),
    ).toEqual({ list: [{ b: 2 }] });
  });

  it.each([
    ["a path that the view lacks", { a: { b: ["{{tls.maybe}}"] } }, /f a b \[0\].*tls\.maybe/],
    ["a path that the view lacks, inside a text", { a: "x {{missing}}" }, /f a.*missing/],
    ["a template as a key", { "{{name}}": 1 }, /key/],
    ["an x-when that is no boolean", [{ "x-when": "name" }], /not a boolean/],
    ["a property of the prototype", { a: "{{constructor}}" }, /constructor/],
    ["an unknown helper", { a: "x {{shout name}}" }, /shout/],
  ])("refuses %s and names the place", (_, data, message) => {
    expect(() => interpolate(data, view, "f")).toThrow(message);
  });

  it("brings any text unharmed through the template, Compose's variables and YAML", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        const filled = interpolate({ alone: "{{text}}", inside: "<{{text}}>" }, { text }, "f");
        const read = parse(toYaml(escapeDollars(filled))) as Record<string, string>;
        const typed = Object.fromEntries(Object.entries(read).map(([key, value]) => [key, value.replaceAll("$$", () => "$")]));
        expect(typed).toEqual({ alone: text, inside: `<${text}>` });
      }),
    );
  });

  it("quotes every text that Compose's reader would take for another type", () => {
    const texts = ["0755", "1_000", "2026-11-24", "0b11", "22:22", "no", "on", "y", "1.10", "~", "null", "0x1f", "1e3", ".inf", "<<"];
    for (const text of texts) expect(toYaml({ a: text })).toMatch(/^a: ["']/);
  });
});
