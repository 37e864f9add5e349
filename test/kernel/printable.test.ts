import { describe, expect, it } from "vitest";
import { printable, printableValue } from "../../src/kernel/printable.ts";

describe("text from elsewhere on its way to a terminal", () => {
  it("shows what a terminal would act on", () => {
    expect(printable("\u001B]0;title\u0007 \u001B[2J\u001B[1;1H \u009B2J \u0008\u007F")).toBe("\\x1b]0;title\\x07 \\x1b[2J\\x1b[1;1H \\x9b2J \\x08\\x7f");
  });

  it("shows what would turn the direction of writing", () => {
    expect(printable("release \u202Egnp.exe")).toBe("release \\x202egnp.exe");
  });

  it("drops a program's colours and keeps what they colour", () => {
    expect(printable("\u001B[1;31mERROR\u001B[0m odoo")).toBe("ERROR odoo");
  });

  it("keeps lines, tabs and every letter as they are", () => {
    expect(printable("Müller\tワークス\n  € 😀\r\nlast\r")).toBe("Müller\tワークス\n  € 😀\nlast");
  });

  it("cannot be made to hide an escape behind a carriage return", () => {
    expect(printable("all is well\rError: nothing is")).toBe("all is well\\x0dError: nothing is");
  });

  it("reaches every string of a value", () => {
    expect(printableValue({ kind: "note", text: "\u001B[2J", steps: [{ title: "\u0007" }], done: 1 })).toEqual({
      kind: "note",
      text: "\\x1b[2J",
      steps: [{ title: "\\x07" }],
      done: 1,
    });
  });
});
