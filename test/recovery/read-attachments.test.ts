import { describe, expect, it } from "vitest";
import { readAttachments } from "../../src/recovery/read-attachments.ts";

describe("the files that Odoo's rows name", () => {
  it("come in parts that hold each of them once, also those whose names are no hashes", async () => {
    const names = ["0a/0", "9f/1", "ab/2", "fe/3", "../etc/passwd", "Zz/4"];
    const parts: (readonly string[])[] = [];
    const query = async (_database: string, sql: string): Promise<readonly (readonly string[])[]> => {
      const digit = /LIKE '(.)%'/.exec(sql)?.[1];
      return names.filter((name) => (digit === undefined ? !/^[0-9a-f]/.test(name) : name.startsWith(digit))).map((name) => [name, "7", ""]);
    };
    for await (const part of readAttachments({ query }, "acme")) parts.push(part.map(({ file }) => file));
    expect(parts.flat().sort()).toEqual([...names].sort());
    expect(Math.max(...parts.map(({ length }) => length))).toBeLessThan(names.length);
  });
});
