import * as fc from "../../properties.ts";
import { describe, expect, it } from "vitest";
import { attributes, escape, Markup, markup } from "../../../src/observe/report/markup.ts";

describe("markup", () => {
  it("escapes every value but markup itself", () => {
    const inner = markup`<b>${"<i>"}</b>`;
    expect(markup`<p>${inner} & ${"a & b"}${undefined}${false}${["<", 1, [inner]]}</p>`.text).toBe("<p><b>&lt;i&gt;</b> & a &amp; b&lt;1<b>&lt;i&gt;</b></p>");
  });

  it("gives no value a way out of text or of a quoted attribute, and holds no address of the web", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const text = escape(value);
        expect(text).not.toMatch(/[<>"'`/]/);
        expect(text.replace(/&(?:amp|lt|gt|quot|#39|#96|#47);/g, "")).not.toContain("&");
      }),
    );
  });

  it("gives the same text back to whoever reads the page", () => {
    const entities: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&#96;": "`", "&#47;": "/", "&amp;": "&" };
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), (value) => {
        expect(escape(value).replace(/&[a-z0-9#]+;/g, (entity) => entities[entity] ?? "")).toBe(value);
      }),
    );
  });

  it("makes visible what a terminal or a reader's eye would obey", () => {
    expect(escape("a\u001B[31mb\u202Ec\u0000\td\n")).toBe("a\\u{1b}[31mb\\u{202e}c\\u{0}\td\n");
  });

  it("writes attributes, and leaves out those that are undefined", () => {
    expect(attributes({ x: 1, class: 'a"b', y: undefined })).toEqual(new Markup(' x="1" class="a&quot;b"'));
  });
});
