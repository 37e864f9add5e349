import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { StackFacts } from "../../src/blueprint/stack.ts";
import type { RunOutcome } from "../../src/kernel/run-plan.ts";
import { evidencePath } from "../../src/swap/evidence.ts";
import { prepareSwap } from "../../src/swap/prepare-swap.ts";
import { type SeriesLine, seriesLineSchema } from "../../src/swap/series.ts";
import { swapReport } from "../../src/swap/swap-report.ts";
import { FakeSite, type Manner, releaseNamed, STACK } from "./fake-site.ts";

const ONE = releaseNamed("2026-11-24-1");
const TWO = releaseNamed("2026-11-24-2", { addons: { scale: { version: "1.3", content: "c2", schema: "s1" } } });
const SMOKE: StackFacts["smoke"] = [{ kind: "http", name: "shop floor page", path: "/acme/ping", status: 200 }];
const MIB = 1024 ** 2;

interface Situation {
  readonly old?: Manner;
  readonly next?: Manner;
  readonly facts?: Partial<StackFacts>;
  /** Done before the swap is begun. */
  readonly before?: (site: FakeSite) => void;
  /** Done at each round of the bake, with its number from 1. */
  readonly during?: (site: FakeSite, round: number) => void;
}

interface Swapped {
  readonly site: FakeSite;
  readonly ended: RunOutcome;
  readonly lines: readonly SeriesLine[];
  readonly notes: string;
  readonly baked: {
    readonly verdict: { readonly notes: readonly unknown[] };
    readonly log: readonly unknown[];
    readonly failures: readonly { readonly name: string }[];
  };
}

/** A swap from ONE to TWO in that situation. */
async function swap({ old = {}, next = {}, facts = {}, before, during }: Situation): Promise<Swapped> {
  const site = await FakeSite.make(facts);
  site.addRelease(ONE);
  await site.run((await prepareSwap(site.deps, ONE)).plan, { run: "run-0" });
  site.manners.set(ONE.image, old);
  site.addRelease(TWO, next);
  site.events.length = 0;
  site.asked.length = 0;
  before?.(site);
  let rounds = 0;
  const plan = (await prepareSwap(site.deps, TWO)).plan;
  const { onEvent } = site;
  site.onEvent = (event) => {
    onEvent(event);
    if (event.kind !== "progress") return;
    rounds += 1;
    during?.(site, rounds);
  };
  const ended = await site.run(plan);
  const place = { paths: site.paths, run: "run-1" };
  const lines = await readLines(evidencePath(place, "series.jsonl"));
  const baked = JSON.parse(await readFile(evidencePath(place, "bake.json"), "utf8").catch(() => "null")) as Swapped["baked"];
  const notes = site.events.flatMap((event) => (event.kind === "note" ? [event.text] : [])).join("\n");
  return { site, ended, lines, notes, baked };
}

async function readLines(path: string): Promise<readonly SeriesLine[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => (line === "" ? [] : [seriesLineSchema.parse(JSON.parse(line))]));
}

const rulesWith = (rules: Partial<StackFacts["swap"]["rules"]>, facts: StackFacts): Partial<StackFacts> => ({
  swap: { ...facts.swap, rules: { ...facts.swap.rules, ...rules } },
});
const FACTS = (await FakeSite.make()).stack.facts;

describe("the series of a bake", () => {
  it("begins with the old release, has a line a round and ends with the verdict", async () => {
    const { lines, ended } = await swap({});
    expect(ended.outcome).toBe("done");
    expect(lines[0]).toMatchObject({ kind: "begun", colour: "green", release: TWO.id, baseline: { release: ONE.id, colour: "blue", failing: [] } });
    const rounds = lines.filter((line) => line.kind === "round");
    expect(rounds.map(({ seconds }) => seconds)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(rounds[0]?.probes.map(({ name }) => name)).toContain("front door");
    expect(rounds.at(-1)).toMatchObject({ memory: { usedBytes: 300 * MIB }, containers: [{ service: "cron" }, { service: "web" }] });
    expect(lines.at(-1)).toMatchObject({ kind: "verdict", verdict: { verdict: "pass", rule: "none" } });
  });

  it("begins anew when the bake was cut off", async () => {
    const site = await FakeSite.make();
    site.addRelease(ONE);
    await site.run((await prepareSwap(site.deps, ONE)).plan, { run: "run-0" });
    site.addRelease(TWO);
    const { plan } = await prepareSwap(site.deps, TWO);
    const controller = new AbortController();
    site.onEvent = (event) => void (event.kind === "progress" && controller.abort(new Error("the process is stopped")));
    await expect(site.run(plan, { signal: controller.signal })).rejects.toThrow("stopped");
    site.onEvent = () => {};
    expect((await site.run(plan)).outcome).toBe("done");
    const lines = await readLines(evidencePath({ paths: site.paths, run: "run-1" }, "series.jsonl"));
    expect(lines.filter(({ kind }) => kind === "begun")).toHaveLength(2);
    expect(lines.at(-1)?.kind).toBe("verdict");
  });
});

describe("what is told of a bake", () => {
  it("goes with the end of the run: the verdict with its rule and numbers, and where the evidence is", async () => {
    const { ended, site } = await swap({});
    const baked = site.journalEntries.find((entry) => entry.run === "run-1" && entry.step === "bake" && entry.kind === "done")?.detail;
    const context = { kind: "swap", colour: "green", release: TWO } as const;
    const report = swapReport(context, ended, () => baked);
    expect(report.summary).toMatch(/^Release 2026-11-24-2 serves on green: 6 rounds of probes, 0 with a failure; \d+ requests/);
    expect(report.result).toMatchObject({
      verdict: { verdict: "pass", rule: "none", numbers: { rounds: 6 } },
      evidence: expect.stringContaining("bake.json") as string,
    });
  });
});

describe("an old release that fails a check already", () => {
  const failing = { pages: { "/acme/ping": 500 } };

  it("does not keep the new one out, and everybody is told", async () => {
    const { ended, notes, lines } = await swap({ old: failing, next: failing, facts: { smoke: SMOKE } });
    expect(ended.outcome).toBe("done");
    expect(notes).toContain(`Release ${ONE.id}, which serves, fails shop floor page already: /acme/ping answered 500 instead of 200.`);
    expect(notes).toContain("shop floor page failed 1 of 1 times, and does not count: the old release had failed it");
    expect(lines[0]).toMatchObject({ baseline: { failing: [{ name: "shop floor page" }] } });
  });

  it("is not asked for that page by synthetic requests: its failures would be counted after all", async () => {
    const { site, ended } = await swap({ old: failing, next: failing, facts: { smoke: SMOKE }, before: (before) => (before.people = 0) });
    expect(ended.outcome).toBe("done");
    expect(site.asked.filter(({ port, path }) => port === 443 && path === "/acme/ping")).toEqual([]);
  });

  it("once in passing does not excuse the new one", async () => {
    const blips = { ...failing };
    const { ended } = await swap({
      old: blips,
      next: failing,
      facts: { smoke: SMOKE },
      before: (site) => {
        site.onEvent = (event) => void (event.kind === "probe" && event.name === "shop floor page" && site.manners.set(ONE.image, {}));
      },
    });
    expect(ended.error?.message).toContain("failed its probes before anyone was moved to it: shop floor page");
  });

  it("excuses the new one in nothing else", async () => {
    const { ended } = await swap({ old: failing, next: { pages: { ...failing.pages, "/web/assets/1/a.js": 500 } }, facts: { smoke: SMOKE } });
    expect(ended.error?.message).toContain("assets");
  });
});

describe("a quiet night", () => {
  const quiet = (site: FakeSite): void => {
    site.people = 0;
    site.clock.pass(3600_000);
  };

  it("is filled with synthetic requests, which the verdict counts apart", async () => {
    const { ended, lines, site } = await swap({ before: quiet });
    expect(ended.outcome).toBe("done");
    const last = lines.at(-1);
    const numbers = last?.kind === "verdict" ? last.verdict.numbers : {};
    expect(numbers["requests"]).toBeGreaterThanOrEqual(20);
    expect(numbers["syntheticRequests"]).toBeGreaterThanOrEqual(15);
    expect(numbers["oldSyntheticRequests"]).toBe(5);
    expect(site.asked.filter(({ headers }) => headers?.["User-Agent"] === "millwright-synthetic").length).toBeGreaterThan(0);
  });

  it("shows a release that fails only one of the site's routes", async () => {
    const facts = rulesWith({ traffic: { ...FACTS.swap.rules.traffic, routes: ["/shop"] } }, FACTS);
    const { ended, baked } = await swap({ before: quiet, next: { pages: { "/shop": 500 } }, facts });
    expect(ended).toMatchObject({ outcome: "undone", error: { code: "RELEASE_UNHEALTHY" } });
    expect(ended.error?.message).toMatch(/by the rule `probes`: route \/shop failed 2 times in a row|by the rule `errors`/);
    expect(baked.failures.map(({ name }) => name)).toContain("route /shop");
  });

  it("sends none while people work", async () => {
    const { site } = await swap({});
    expect(site.asked.filter(({ headers }) => headers?.["User-Agent"] === "millwright-synthetic")).toEqual([]);
  });
});

describe("a bake that cannot tell when its time is over", () => {
  it("says so, goes on, and ends when it can", async () => {
    const { site, ended, lines, notes } = await swap({
      during: (at, round) => at.manners.set(TWO.image, round === 5 ? { pages: { "/web/assets/1/a.js": 500 } } : {}),
    });
    expect(ended.outcome).toBe("done");
    expect(notes).toContain("Watched for up to 10 s longer: assets failed 1 of 6 times and is not steady again");
    const told = site.events.flatMap((event) => (event.kind === "progress" && event.id === "bake" ? [event] : []));
    expect(new Set(told.map(({ total }) => total))).toEqual(new Set([FACTS.swap.bakeSeconds]));
    expect(told.some(({ longer }) => longer?.total === 10 && longer.why.startsWith("assets failed 1 of 6 times"))).toBe(true);
    expect(lines.filter(({ kind }) => kind === "round")).toHaveLength(8);
  });
});

describe("the log of a new release", () => {
  const complain = (site: FakeSite, colour: string, text: string): void =>
    site.docker.say(`${STACK}-${colour}`, "web", `2026-11-24 02:00:00,123 17 ERROR acme odoo.http: ${text}`);

  it("takes it back when it is full of new complaints, with those as evidence", async () => {
    const { ended, baked } = await swap({
      during: (site) => ["b", "c", "d", "e", "f"].forEach((letter) => complain(site, "green", `new complaint ${letter}`)),
    });
    expect(ended.error?.message).toMatch(/by the rule `log`: \d+ new ERROR or CRITICAL log entries of 5 kinds/);
    expect(baked.log).toHaveLength(5);
  });

  it("is no matter when the old one complained of the same", async () => {
    const { ended, baked } = await swap({
      before: (site) => ["b", "c", "d", "e", "f"].forEach((letter) => complain(site, "blue", `new complaint ${letter}`)),
      during: (site, round) => complain(site, "green", `new complaint ${"abcdef"[round] ?? ""}`),
    });
    expect(ended.outcome).toBe("done");
    expect(baked.log).toEqual([]);
  });

  it("of the time before the switch does not count", async () => {
    const { baked } = await swap({ before: (site) => complain(site, "green", "while it starts") });
    expect(baked.log).toEqual([]);
  });
});

describe("what cannot be seen", () => {
  it("decides nothing: neither memory nor logs nor the proxy's counts", async () => {
    const blind = (site: FakeSite): void => {
      site.docker.memory = async () => await Promise.reject(new Error("no such container"));
      site.docker.logsSince = async () => await Promise.reject(new Error("no such container"));
      site.isBlind = true;
    };
    const { ended, notes } = await swap({ before: blind });
    expect(ended.outcome).toBe("done");
    expect(notes).toContain("the proxy's counts could not be read");
  });
});

describe("the baseline", () => {
  it("is what the run itself saw up to the switch when nobody remembers the minutes before", async () => {
    const { lines } = await swap({
      before: (site) => {
        site.clock.pass(3600_000);
        site.onEvent = (event) => {
          if (event.kind === "step" && event.id === "up" && event.state === "begun") site.people += 7;
        };
      },
    });
    expect(lines[0]).toMatchObject({ baseline: { source: "run", synthetic: { requests: 5 } } });
    const [begun] = lines;
    // Seven of people and five of ours; the look through the front door may be counted or not.
    expect(begun?.kind === "begun" ? [12, 13] : []).toContain(begun?.kind === "begun" ? begun.baseline?.traffic?.requests : 0);
  });

  it("is not part of a first release, which is held against nothing", async () => {
    const site = await FakeSite.make();
    site.addRelease(ONE);
    const { plan } = await prepareSwap(site.deps, ONE);
    expect(plan.steps.map(({ id }) => id)).not.toContain("baseline");
    expect((await site.run(plan)).outcome).toBe("done");
  });
});
