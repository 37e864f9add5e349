import { describe, expect, it } from "vitest";
import type { Answer, HttpRequest } from "../../src/swap/http.ts";
import { syntheticNeed } from "../../src/swap/synthetic-need.ts";
import { SyntheticTraffic, syntheticPaths } from "../../src/swap/synthetic-traffic.ts";
import { DEFAULT_POLICY } from "../fakes/swap-policy.ts";
import { FakeSite } from "./fake-site.ts";
import { recordBaseline, recordRounds, type Story } from "./record-series.ts";

describe("synthetic requests", () => {
  const made = async (
    answer: (request: HttpRequest) => Promise<Answer>,
  ): Promise<{ traffic: SyntheticTraffic; site: FakeSite; asked: HttpRequest[]; most: () => number }> => {
    const site = await FakeSite.make();
    const asked: HttpRequest[] = [];
    let [underWay, most] = [0, 0];
    const ask = async (request: HttpRequest): Promise<Answer> => {
      asked.push(request);
      most = Math.max(most, (underWay += 1));
      return await answer(request).finally(() => (underWay -= 1));
    };
    const deps = { ...site.deps, http: { ...site.deps.http, ask } };
    return { traffic: new SyntheticTraffic(deps, ["/web/login", "/shop"]), site, asked, most: () => most };
  };
  const good: Answer = { status: 200, headers: {}, body: "", milliseconds: 40 };

  it("go through the front door under a name of their own, to each path in turn, two at a time", async () => {
    const { traffic, asked, most } = await made(async () => await new Promise((resolve) => setImmediate(() => resolve(good))));
    await traffic.send(6, Number.POSITIVE_INFINITY);
    expect(asked.map(({ path }) => path)).toEqual(["/web/login", "/shop", "/web/login", "/shop", "/web/login", "/shop"]);
    expect(asked.every(({ port, headers }) => port === 443 && headers?.["User-Agent"] === "millwright-synthetic")).toBe(true);
    expect(most()).toBe(2);
    expect(traffic.seen).toMatchObject({ requests: 6, errors: 0, timed: 6 });
  });

  it("count what is answered 5xx and what is not answered at all", async () => {
    const { traffic } = await made(async ({ path }) => {
      if (path === "/shop") throw new Error("no answer within 5000 ms");
      return { ...good, status: 500 };
    });
    await traffic.send(4, Number.POSITIVE_INFINITY);
    expect(traffic.seen).toMatchObject({ requests: 4, errors: 4 });
  });

  it("end at the deadline", async () => {
    const { traffic, site } = await made(async () => {
      site.clock.pass(400);
      return good;
    });
    await traffic.send(1000, site.clock.now() + 1000);
    expect(traffic.seen.requests).toBeLessThan(10);
  });

  it("are not begun while earlier ones are under way", async () => {
    const open: ((answer: Answer) => void)[] = [];
    const { traffic, asked } = await made(async () => await new Promise((resolve) => open.push(resolve)));
    traffic.begin(2);
    traffic.begin(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toHaveLength(2);
    for (const answer of open) answer(good);
  });

  it("hold what others look at through the front door as well", async () => {
    const { traffic } = await made(async () => good);
    await traffic.http.ask({ address: "127.0.0.1", port: 443, path: "/", timeoutMilliseconds: 1 });
    expect(traffic.seen.requests).toBe(1);
  });

  it("ask for the login page, the site's routes and its pages, but not for what the old release fails", async () => {
    const { stack } = await FakeSite.make();
    const facts = {
      ...stack.facts,
      smoke: [
        { kind: "http" as const, name: "ping", path: "/ping", status: 200 },
        { kind: "http" as const, name: "maintenance", path: "/maintenance", status: 503 },
        { kind: "jsonrpc" as const, name: "orders", model: "sale.order", method: "search_count", args: [] },
      ],
      swap: { ...stack.facts.swap, rules: { ...stack.facts.swap.rules, traffic: { minimumRequests: 1, rate: 1, routes: ["/shop", "/web/login"] } } },
    };
    expect(syntheticPaths(facts, [])).toEqual(["/web/login", "/shop", "/ping"]);
    expect(syntheticPaths(facts, [{ name: "ping" }, { name: "route /shop" }])).toEqual(["/web/login"]);
  });
});

describe("how many are needed", () => {
  const need = (story: Story, baseline = recordBaseline()): number => syntheticNeed(DEFAULT_POLICY, { before: [], baseline, rounds: recordRounds(story) });
  const quiet = recordBaseline({ people: 0, synthetic: 50, seconds: 1 });

  it("is none while people send enough", () => {
    expect(need({ seconds: 30, people: 20 })).toBe(0);
    expect(need({ seconds: 58, people: 20 })).toBe(0);
  });

  it("is what people are behind the even pace", () => {
    // 16 rounds of two requests; 300 by the 48th second are 200 by the 32nd.
    expect(need({ seconds: 30, people: 0, synthetic: 1 })).toBe(20);
    expect(need({ seconds: 30, people: 6, synthetic: 0 })).toBe(8);
  });

  it("is never more than the site allows", () => {
    expect(need({ seconds: 58, people: 0, synthetic: 0 })).toBe(DEFAULT_POLICY.rules.traffic.rate * DEFAULT_POLICY.probeSeconds);
  });

  it("is enough in the second half to compare with an old release that nobody used, whatever people send", () => {
    expect(need({ seconds: 40, people: 50, synthetic: 0 }, quiet)).toBe(20);
    expect(need({ seconds: 20, people: 50, synthetic: 0 }, quiet)).toBe(0);
    expect(need({ seconds: 40, people: 50, synthetic: 0 })).toBe(0);
  });

  it("brings a bake without people to its numbers in time", () => {
    const rounds = [...recordRounds({ seconds: 0, people: 0, synthetic: 0 })];
    let sent = 0;
    for (let second = 2; second <= 60; second += 2) {
      sent += syntheticNeed(DEFAULT_POLICY, { before: [], baseline: quiet, rounds });
      const [traffic] = [recordBaseline({ seconds: 1, people: 0, synthetic: sent }).synthetic];
      const last = rounds.at(-1);
      if (last !== undefined) rounds.push({ ...last, seconds: second, traffic, synthetic: traffic });
    }
    expect(sent).toBeGreaterThanOrEqual(300);
    expect(sent).toBeLessThan(330);
  });
});
