import { describe, expect, it } from "vitest";
import { cronActivity } from "../../src/swap/cron-activity.ts";
import type { SwapDeps } from "../../src/swap/swap-deps.ts";
import { FakeSite, STACK } from "./fake-site.ts";

const SWITCHED = Date.parse("2026-11-24T02:00:00.500Z");

async function asked(answer: SwapDeps["psql"]["query"]): ReturnType<typeof cronActivity> {
  const site = await FakeSite.make();
  site.docker.addContainer({ project: `${STACK}-green`, service: "cron", networks: [`${STACK}_egress`, `${STACK}_data`] });
  return await cronActivity({ ...site.deps, psql: { query: answer } }, "green", SWITCHED);
}

describe("the scheduled jobs of a colour", () => {
  it("are looked at since the switch, with the sessions from the container's own address", async () => {
    let sql = "";
    const seen = await asked(async (_database, text) => {
      sql = text;
      return [["2", "1", "1"]];
    });
    expect(seen).toEqual({ due: 2, ran: 1, sessions: 1 });
    expect(sql).toContain("to_timestamp(1795485600.500) AT TIME ZONE 'UTC'");
    expect(sql).toMatch(/client_addr = '10\.213\.1\.\d+'/);
  });

  it.each([
    ["refuses", async () => await Promise.reject(new Error("statement timeout"))],
    ["answers nothing", async () => []],
    ["answers nonsense", async () => [["x", "1", "1"]]],
  ] as const)("are not known when the database %s", async (_name, answer) => {
    expect(await asked(answer)).toBeUndefined();
  });
});
