import { describe, expect, it } from "vitest";
import { findContradiction, type SeenHead, withHead } from "../../src/observe/seen-heads.ts";

const seen = (entries: number, head: string): SeenHead => ({ entries, head, at: "2026-11-24T02:00:00.000Z" });
const chain = (...hashes: readonly string[]) => ({ entries: hashes.length, hashAt: (entry: number) => hashes[entry - 1] });

describe("heads of a journal seen earlier", () => {
  it("are entries of the chain for ever", () => {
    expect(findContradiction([seen(1, "a"), seen(3, "c")], chain("a", "b", "c", "d"))).toBeUndefined();
  });

  it("show a chain that was written anew, although it is whole in itself", () => {
    expect(findContradiction([seen(2, "b")], chain("x", "y", "z"))).toBe(
      "Entry 2 of the journal is not the one that this machine saw at 2026-11-24T02:00:00.000Z: history was written anew",
    );
  });

  it("show that the last entries were cut off", () => {
    expect(findContradiction([seen(4, "d")], chain("a", "b"))).toMatch(/has 2 entries, and had 4 at .*: entries 3 to 4 are missing/);
    expect(findContradiction([seen(3, "c")], chain("a", "b"))).toMatch(/entry 3 is missing/);
    expect(findContradiction([seen(1, "a")], chain())).toMatch(/has 0 entries/);
  });

  it("say nothing of entries that were not looked at", () => {
    expect(findContradiction([seen(2, "b")], { entries: 9, hashAt: () => undefined })).toBeUndefined();
  });
});

describe("what is kept of a look", () => {
  it("is one head when the whole chain was verified with it", () => {
    expect(withHead([seen(1, "a"), seen(2, "b")], seen(3, "c"), true)).toEqual([seen(3, "c")]);
  });

  it("is each new head beside the earlier ones, which the look did not verify", () => {
    expect(withHead([seen(1, "a")], seen(3, "c"), false)).toEqual([seen(1, "a"), seen(3, "c")]);
  });

  it("is nothing new when the journal has not grown", () => {
    const heads = [seen(1, "a"), seen(3, "c")];
    expect(withHead(heads, { ...seen(3, "c"), at: "later" }, false)).toBe(heads);
  });

  it("keeps the oldest and the newest of very many", () => {
    let heads: readonly SeenHead[] = [];
    for (let entry = 1; entry <= 250; entry += 1) heads = withHead(heads, seen(entry, String(entry)), false);
    expect(heads).toHaveLength(100);
    expect([heads[0]?.entries, heads[1]?.entries, heads.at(-1)?.entries]).toEqual([1, 152, 250]);
  });
});
