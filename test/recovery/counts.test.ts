import { describe, expect, it } from "vitest";
import { type Holdings, countRows, lackOf, stillThere } from "../../src/recovery/counts.ts";

describe("the rows of a plant", () => {
  it("are counted table by table: no query may take longer than two minutes, however big the plant", async () => {
    const asked: string[] = [];
    const query = async (_database: string, sql: string): Promise<readonly (readonly string[])[]> => {
      if (sql.startsWith("SELECT relname")) return [["stock_move"], ["mrp_bom"]];
      asked.push(sql);
      return [[sql.includes("stock_move") ? "1000" : "4"]];
    };
    expect(await countRows({ query }, "acme")).toEqual({ stock_move: 1000, mrp_bom: 4 });
    expect(asked).toEqual(['SELECT count(*) FROM "stock_move";', 'SELECT count(*) FROM "mrp_bom";']);
  });
});

const rows = (counts: Holdings["counts"]): Holdings => ({ counts, modules: [] });
const modules = (...names: readonly string[]): Holdings => ({ counts: {}, modules: names });

describe("the rows of a restored database", () => {
  it("may be more, or a few less: people delete, too", () => {
    expect(lackOf(rows({ stock_move: 1000, res_users: 8 }), rows({ stock_move: 1400, res_users: 5 }))).toEqual([]);
    expect(lackOf(rows({ stock_move: 1000 }), rows({ stock_move: 980 }))).toEqual([]);
    expect(lackOf(rows({ mrp_bom: 0 }), rows({ mrp_bom: 0 }))).toEqual([]);
  });

  it("are lost when a table is gone, empty or much smaller", () => {
    expect(lackOf(rows({ stock_move: 1000, res_users: 3, mrp_bom: 4 }), rows({ stock_move: 979, res_users: 0 }))).toEqual([
      "stock_move has 979 rows, and had 1000",
      "res_users has 0 rows, and had 3",
      "the table mrp_bom is missing",
    ]);
  });
});

describe("the modules of a restored database", () => {
  it("must all be there; what was installed since is no matter", () => {
    expect(lackOf(modules("base", "sale"), modules("base", "sale", "mrp"))).toEqual([]);
    expect(lackOf(modules("base", "sale"), modules("base"))).toEqual(["the module sale is not installed"]);
  });
});

describe("what a plant still has of what was counted at a backup", () => {
  it("is not what people have deleted or uninstalled since, with the tables of a module", () => {
    const recorded = { counts: { mail_message: 1000, mrp_bom: 4, res_partner: 50 }, modules: ["base", "mrp"] };
    const plant = { counts: { mail_message: 410, res_partner: 60 }, modules: ["base", "sale"] };
    expect(stillThere(recorded, plant)).toEqual({ counts: { mail_message: 410, res_partner: 50 }, modules: ["base"] });
  });
});
