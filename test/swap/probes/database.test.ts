import { describe, expect, it } from "vitest";
import { databaseProbe } from "../../../src/swap/probes/database.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";

/** A database that answers with these rows in turn, the last for ever. */
function answering(...rows: readonly (readonly string[])[]): { readonly clock: FakeClock; readonly asked: () => number; readonly look: () => Promise<string> } {
  const clock = new FakeClock();
  let asked = 0;
  const psql = { query: async () => [rows[Math.min(asked++, rows.length - 1)] ?? []] };
  const probe = databaseProbe(psql, clock, "odoo", "19.0");
  return { clock, asked: () => asked, look: async () => (await probe.look()).verdict };
}

describe("the probe of the database", () => {
  it("takes a pass for ten seconds, and asks again after that", async () => {
    const { clock, asked, look } = answering(["19.0.1.3", "0"], ["19.0.1.3", "2"]);
    expect([await look(), await look(), asked()]).toEqual(["pass", "pass", 1]);
    clock.pass(10_000);
    expect([await look(), asked()]).toEqual(["fail", 2]);
  });

  it("asks each time while it fails", async () => {
    const { asked, look } = answering(["18.0.1.3", "0"], ["18.0.1.3", "0"], ["19.0.1.3", "0"]);
    expect([await look(), await look(), await look(), asked()]).toEqual(["fail", "fail", "pass", 3]);
  });
});
