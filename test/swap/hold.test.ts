import { describe, expect, it } from "vitest";
import { holdUsers, letUsersIn } from "../../src/swap/hold.ts";
import { prepareSwap } from "../../src/swap/prepare-swap.ts";
import { FakeSite, releaseNamed, STACK } from "./fake-site.ts";

const ONE = releaseNamed("2026-11-24-1");
const WEB = `${STACK}-blue/web`;
const never = new AbortController().signal;

async function served(): Promise<FakeSite> {
  const site = await FakeSite.make();
  site.addRelease(ONE);
  await site.run((await prepareSwap(site.deps, ONE)).plan, { run: "run-0" });
  site.docker.calls.length = 0;
  return site;
}

/** Deps whose database tells of so many transactions, one answer after the other. */
function withTransactions(site: FakeSite, ...counts: readonly number[]): FakeSite["deps"] {
  const left = [...counts];
  return { ...site.deps, psql: { query: async () => [[String(left.length > 1 ? left.shift() : left[0])]] } };
}

describe("holding users", () => {
  it("freezes the web container that serves, at a moment without a transaction", async () => {
    const site = await served();
    await holdUsers(withTransactions(site, 2, 1, 0), never);
    expect(site.docker.calls).toEqual([`pause ${WEB}`, `unpause ${WEB}`, `pause ${WEB}`, `unpause ${WEB}`, `pause ${WEB}`]);
    expect(site.events.filter((event) => event.kind === "note")).toEqual([]);
  });

  it("counts a connection that a request has just taken out of the pool and not used yet", async () => {
    const site = await served();
    const asked: string[] = [];
    await holdUsers({ ...site.deps, psql: { query: async (_database, sql) => (asked.push(sql), [["0"]]) } }, never);
    expect(asked).toEqual([
      expect.stringContaining("state <> 'idle' OR (query IN ('', 'DISCARD ALL') AND state_change > clock_timestamp() - interval '1 second')"),
    ]);
  });

  it("does not look for such a moment for ever, and says what that costs", async () => {
    const site = await served();
    await holdUsers(withTransactions(site, 3), never);
    expect(site.docker.calls.at(-1)).toBe(`pause ${WEB}`);
    expect(site.events).toContainEqual(expect.objectContaining({ kind: "note", level: "warning", text: expect.stringContaining("3 transactions ran on") }));
  });

  it("goes on when the database cannot be asked, and says so", async () => {
    const site = await served();
    const refuses = { query: () => Promise.reject(new Error("no such column")) };
    await holdUsers({ ...site.deps, psql: refuses }, never);
    expect(site.docker.calls).toEqual([`pause ${WEB}`]);
    expect(site.events).toContainEqual(expect.objectContaining({ kind: "note", level: "warning", text: expect.stringContaining("no such column") }));
  });

  it("is nothing while no release serves, or while its container does not run", async () => {
    const empty = await FakeSite.make();
    await holdUsers(empty.deps, never);
    await letUsersIn(empty.deps);
    const site = await served();
    site.docker.crash(`${STACK}-blue`, "web");
    await holdUsers(site.deps, never);
    expect([...empty.docker.calls, ...site.docker.calls].filter((call) => call.includes("pause"))).toEqual([]);
  });
});

describe("letting users go on", () => {
  it("thaws the container, however often it is asked for", async () => {
    const site = await served();
    await holdUsers(withTransactions(site, 0), never);
    await letUsersIn(site.deps);
    await letUsersIn(site.deps);
    expect(site.docker.calls).toEqual([`pause ${WEB}`, `unpause ${WEB}`]);
    expect(await site.running("web")).toEqual(["blue"]);
  });

  it("does not wait for ever for a good page, and says so", async () => {
    const site = await served();
    site.manners.set(ONE.image, { login: 500 });
    await holdUsers(withTransactions(site, 0), never);
    await letUsersIn(site.deps);
    expect(await site.running("web")).toEqual(["blue"]);
    expect(site.events).toContainEqual(expect.objectContaining({ kind: "note", text: expect.stringContaining("the login page is not good") }));
  });
});
