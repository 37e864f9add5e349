import { describe, expect, it } from "vitest";
import { countRows, lostRows } from "../../src/recovery/counts.ts";

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

describe("the rows of a restored database", () => {
  it("may be more, or a few less: people delete, too", () => {
    expect(lostRows({ stock_move: 1000, res_users: 8 }, { stock_move: 1400, res_users: 5 })).toEqual([]);
    expect(lostRows({ stock_move: 1000 }, { stock_move: 980 })).toEqual([]);
    expect(lostRows({ mrp_bom: 0 }, { mrp_bom: 0 })).toEqual([]);
  });

  it("are lost when a table is gone, empty or much smaller", () => {
    expect(lostRows({ stock_move: 1000, res_users: 3, mrp_bom: 4 }, { stock_move: 979, res_users: 0 })).toEqual([
      "stock_move has 979 rows, and had 1000",
      "res_users has 0 rows, and had 3",
      "the table mrp_bom is missing",
    ]);
  });

  it("are not lost when people have deleted them since", () => {
    expect(lostRows({ mail_message: 1000 }, { mail_message: 405 }, { mail_message: 410 })).toEqual([]);
    expect(lostRows({ mail_message: 1000 }, { mail_message: 300 }, { mail_message: 410 })).toEqual(["mail_message has 300 rows, and had 410"]);
    expect(lostRows({ mail_message: 1000 }, { mail_message: 300 }, {})).toEqual(["mail_message has 300 rows, and had 1000"]);
  });
});
