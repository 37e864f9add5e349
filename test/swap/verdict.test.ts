import * as fc from "../properties.ts";
import { describe, expect, it } from "vitest";
import type { SwapRules } from "../../src/site/environment.ts";
import type { SwapPolicy } from "../../src/swap/rules/rule.ts";
import type { BakeSeries, Verdict } from "../../src/swap/series.ts";
import { judgeBake } from "../../src/swap/verdict.ts";
import { DEFAULT_POLICY } from "../fakes/swap-policy.ts";
import { recordBaseline, recordRounds, recordSeries, type Story } from "./record-series.ts";

const MIB = 1024 ** 2;

function policyWith(rules: Partial<SwapRules>): SwapPolicy {
  return { ...DEFAULT_POLICY, rules: { ...DEFAULT_POLICY.rules, ...(rules as SwapPolicy["rules"]) } };
}

/** The bake as it goes on: the verdict that ends it, and when. */
function bake(series: BakeSeries, policy: SwapPolicy = DEFAULT_POLICY): Verdict & { readonly seconds: number } {
  for (let count = 1; count <= series.rounds.length; count += 1) {
    const verdict = judgeBake(policy, { ...series, rounds: series.rounds.slice(0, count) });
    if (verdict.verdict !== "unknown") return { ...verdict, seconds: series.rounds[count - 1]?.seconds ?? 0 };
  }
  throw new Error("the recorded series ends before the bake does");
}

const long = (story: Story): Story => ({ seconds: 120, ...story });
const texts = (verdict: Verdict): string => verdict.notes.map(({ text }) => text).join("\n");

describe("the verdict of a recorded bake", () => {
  it("lets a good release stay when its time is over, and not before", () => {
    const verdict = bake(recordSeries({}));
    expect(verdict).toMatchObject({ verdict: "pass", rule: "none", seconds: 60, notes: [] });
    expect(verdict.detail).toBe("31 rounds of probes, 0 with a failure; 372 requests (62 synthetic), 0 of them 5xx, 95 of 100 within 275 ms (before: 275 ms)");
  });

  it("does not count a minute in which a look hung as watched", () => {
    const { rounds, ...series } = recordSeries({});
    const [first, second] = rounds;
    if (first === undefined || second === undefined) throw new Error("no rounds");
    const verdict = judgeBake(DEFAULT_POLICY, { ...series, rounds: [first, { ...second, seconds: 63 }] });
    expect(verdict).toMatchObject({ verdict: "unknown", rule: "time", detail: "looked 2 times of at least 15" });
  });

  it("takes a slow release back at the end, with both speeds", () => {
    const verdict = bake(recordSeries({ takes: (request) => (request % 4 === 0 ? 2.4 : 0.2) }));
    expect(verdict).toMatchObject({ verdict: "fail", rule: "latency", seconds: 60 });
    expect(verdict.detail).toMatch(
      /95 of 100 answers took up to 2\d\d\d ms \(of 180 requests\); with the old release it was 2\d\d ms, of 3000 in the 10 min before, and 5\d\d ms is allowed/,
    );
    expect(verdict.numbers["p95Milliseconds"]).toBeGreaterThan(2000);
  });

  it("takes a leaking release back before its container is killed", () => {
    const verdict = bake(recordSeries({ memory: (second) => (400 + 7 * second) * MIB }));
    expect(verdict).toMatchObject({ verdict: "fail", rule: "memory" });
    expect(verdict.seconds).toBeLessThanOrEqual(60);
    expect(verdict.detail).toContain("would reach its limit of 1024 MiB in");
  });

  it("takes a release that fails one request in fifty back as soon as enough were seen", () => {
    const verdict = bake(recordSeries({ fails: (request) => request % 50 === 0 }));
    expect(verdict).toMatchObject({ verdict: "fail", rule: "errors", numbers: { errors: 4, requests: 204, oldErrorShare: 0 } });
    expect(verdict.detail).toBe(
      "4 of 204 requests (1.96 %) were answered 5xx; with the old release it was 0.00 % of 3000 in the 10 min before, and 1.00 % more is allowed",
    );
  });

  it("takes a release back that is broken on one route only", () => {
    const verdict = bake(recordSeries({ bad: (probe) => probe === "shop floor page" }));
    expect(verdict).toMatchObject({ verdict: "fail", rule: "probes", seconds: 4 });
    expect(verdict.detail).toBe("shop floor page failed 3 times in a row, last: shop floor page answered 500");
  });

  it("takes a release back whose login page is broken", () => {
    expect(bake(recordSeries({ bad: (probe) => probe === "login page" }))).toMatchObject({ verdict: "fail", rule: "probes", seconds: 4 });
  });

  it("takes a release back on which nobody can log in although the page is good", () => {
    const isLogin = (request: number): boolean => request % 60 === 0;
    const story: Story = { people: 20, router: (request) => (isLogin(request) ? "odoo-login" : "odoo"), fails: isLogin };
    const verdict = bake(recordSeries(story), policyWith({ errors: { ...DEFAULT_POLICY.rules.errors, share: 0.05 } }));
    expect(verdict).toMatchObject({ verdict: "fail", rule: "errors" });
    expect(verdict.detail).toContain("3 of 3 requests that odoo-login took in (100.00 %) were answered 5xx");
  });

  it("takes a release back that is broken over websocket only", () => {
    const verdict = bake(recordSeries({ bad: (probe) => probe === "websocket" }));
    expect(verdict).toMatchObject({ verdict: "fail", rule: "probes" });
    expect(verdict.detail).toContain("websocket");
  });

  describe("when the old release was bad already", () => {
    it("does not blame the new one for the same probe, and says so", () => {
      const baseline = recordBaseline({ failing: [{ name: "shop floor page", detail: "/acme/ping answered 500" }] });
      const verdict = bake(recordSeries({ bad: (probe) => probe === "shop floor page" }, baseline));
      expect(verdict.verdict).toBe("pass");
      expect(texts(verdict)).toContain("the old release had failed it before the swap (/acme/ping answered 500)");
    });

    it("still blames it for another probe", () => {
      const baseline = recordBaseline({ failing: [{ name: "shop floor page", detail: "/acme/ping answered 500" }] });
      expect(bake(recordSeries({ bad: (probe) => probe === "assets" }, baseline))).toMatchObject({ verdict: "fail", rule: "probes" });
    });

    it("holds its errors against the old one's own, and says so", () => {
      const fails = (request: number): boolean => request % 10 === 0;
      const verdict = bake(recordSeries({ fails }, recordBaseline({ fails })));
      expect(verdict.verdict).toBe("pass");
      expect(texts(verdict)).toContain("the old release was bad already: 10.00 % of its 3000 answers in the 10 min before the swap were 5xx");
    });

    it("takes back one that is worse still", () => {
      const verdict = bake(recordSeries({ fails: (request) => request % 5 === 0 }, recordBaseline({ fails: (request) => request % 10 === 0 })));
      expect(verdict).toMatchObject({ verdict: "fail", rule: "errors" });
    });

    it("blames it for what it had mended and then fails: that is its own", () => {
      const baseline = recordBaseline({ failing: [{ name: "login page", detail: "/web/login answered 500" }] });
      const verdict = bake(recordSeries({ bad: (probe, round) => probe === "login page" && round >= 5 }, baseline));
      expect(verdict).toMatchObject({ verdict: "fail", rule: "probes", seconds: 14 });
    });

    it("says that a probe is mended", () => {
      const baseline = recordBaseline({ failing: [{ name: "assets", detail: "blank" }] });
      expect(texts(bake(recordSeries({}, baseline)))).toContain("assets passes, which the old release had failed (blank)");
    });
  });
});

describe("a probe in the bake", () => {
  it("decides nothing by one failure", () => {
    const verdict = bake(recordSeries({ bad: (probe, round) => probe === "assets" && round === 10 }));
    expect(verdict).toMatchObject({ verdict: "pass", seconds: 60 });
    expect(texts(verdict)).toContain("assets failed 1 of 31 times");
  });

  it("decides nothing by failures of different probes in turn", () => {
    const verdict = bake(
      recordSeries({
        bad: (probe, round) => (round === 5 && probe === "assets") || (round === 6 && probe === "version") || (round === 7 && probe === "database"),
      }),
    );
    expect(verdict.verdict).toBe("pass");
  });

  it("that fails at the end is watched until it is steady again", () => {
    const verdict = bake(recordSeries(long({ bad: (probe, round) => probe === "assets" && round === 30 })));
    expect(verdict).toMatchObject({ verdict: "pass", seconds: 66 });
  });

  it("that flaps is watched longer, is named, and passes once it has been steady", () => {
    const flapping = (probe: string, round: number): boolean => probe === "assets" && [20, 22, 24].includes(round);
    const series = recordSeries(long({ bad: flapping }));
    const due = judgeBake(DEFAULT_POLICY, { ...series, rounds: series.rounds.slice(0, 31) });
    expect(due).toMatchObject({ verdict: "unknown", rule: "probes", detail: expect.stringContaining("assets flaps") as string });
    expect(bake(series)).toMatchObject({ verdict: "pass", seconds: 82 });
  });

  it("that flaps to the end of all patience is taken for failed", () => {
    const verdict = bake(recordSeries(long({ bad: (probe, round) => probe === "assets" && round % 2 === 1 })));
    expect(verdict).toMatchObject({ verdict: "fail", rule: "probes", seconds: 120 });
    expect(verdict.detail).toContain("undecided to the end of 120 s");
  });
});

describe("the share of errors", () => {
  it("is not judged by one or two bad answers", () => {
    const verdict = bake(
      recordSeries({ people: 0, synthetic: 2, fails: (request) => request < 3 }),
      policyWith({ traffic: { ...DEFAULT_POLICY.rules.traffic, minimumRequests: 20 } }),
    );
    expect(verdict.verdict).toBe("pass");
  });

  it("is judged at once when many fail", () => {
    expect(bake(recordSeries({ fails: () => true }))).toMatchObject({ verdict: "fail", rule: "errors", seconds: 0 });
  });

  it("of all pages is not judged by the first few, other than that of logins", () => {
    const early = (request: number): boolean => [2, 4, 6].includes(request);
    expect(bake(recordSeries({ fails: early })).verdict).toBe("pass");
    const logins = recordSeries({ fails: early, router: (request) => (request < 10 ? "odoo-login" : "odoo") });
    expect(bake(logins)).toMatchObject({ verdict: "fail", rule: "errors", seconds: 0 });
  });

  it("with too little traffic is waited for, then told as not seen", () => {
    const verdict = bake(recordSeries(long({ people: 0, synthetic: 1 })));
    expect(verdict).toMatchObject({ verdict: "pass", seconds: 120 });
    expect(texts(verdict)).toContain("only 122 of the 300 requests wanted to judge its share of errors have come");
  });

  it("on a quiet night is that of synthetic requests, and the verdict says how many", () => {
    const quiet = recordBaseline({ people: 0, synthetic: 50, seconds: 1 });
    const story = { people: 0, synthetic: 6, takes: () => 0.05 };
    expect(bake(recordSeries(story, quiet)).detail).toContain("372 requests (372 synthetic)");
    expect(bake(recordSeries({ ...story, fails: (request) => request % 50 === 0 }, quiet))).toMatchObject({ verdict: "fail", rule: "errors" });
  });

  it("is that of millwright's own requests when the proxy's counts cannot be read", () => {
    const story = { blind: true, people: 0, synthetic: 6 };
    expect(texts(bake(recordSeries(story)))).toContain("the proxy's counts could not be read");
    expect(bake(recordSeries({ ...story, fails: (request) => request % 50 === 0 }))).toMatchObject({ verdict: "fail", rule: "errors" });
  });

  it("of a first release is compared with nothing", () => {
    expect(bake({ ...recordSeries({}), baseline: undefined }).verdict).toBe("pass");
    expect(bake({ ...recordSeries({ fails: (request) => request % 20 === 0 }), baseline: undefined })).toMatchObject({ rule: "errors" });
  });
});

describe("the speed", () => {
  it("of the first half does not count: caches fill", () => {
    expect(bake(recordSeries({ takes: (request) => (request < 150 ? 3 : 0.1) })).verdict).toBe("pass");
  });

  it("is never too low for what nobody notices", () => {
    expect(bake(recordSeries({ takes: () => 0.45 }, recordBaseline({ takes: () => 0.01 }))).verdict).toBe("pass");
  });

  it("after a quiet night is compared by synthetic requests, whatever people begin to do", () => {
    const quiet = recordBaseline({ people: 0, synthetic: 50, seconds: 1, takes: () => 0.03 });
    // Six in seven are people, who open slow pages; every seventh is ours.
    const morning = recordSeries({ people: 30, synthetic: 5, takes: (request) => ((request - 1) % 70 >= 60 ? 0.04 : 1.2) }, quiet);
    expect(bake(morning)).toMatchObject({ verdict: "pass" });
    const slow = recordSeries({ people: 0, synthetic: 6, takes: () => 0.8 }, quiet);
    expect(bake(slow)).toMatchObject({ verdict: "fail", rule: "latency", detail: expect.stringContaining("synthetic requests") as string });
  });

  it("is told and nothing more when the site wants it so", () => {
    const policy = policyWith({ latency: { ...DEFAULT_POLICY.rules.latency, action: "warn" } });
    const verdict = bake(recordSeries({ takes: () => 2.4 }), policy);
    expect(verdict.verdict).toBe("pass");
    expect(texts(verdict)).toContain("(the site wants this told only)");
  });

  it("is not looked at when the site wants it so", () => {
    const policy = policyWith({ latency: { ...DEFAULT_POLICY.rules.latency, action: "off" } });
    expect(bake(recordSeries({ takes: () => 2.4 }), policy)).toMatchObject({ verdict: "pass", notes: [] });
  });
});

describe("memory", () => {
  it("that grows and levels off is no leak", () => {
    expect(bake(recordSeries({ memory: (second) => (900 - 500 * Math.exp(-second / 15)) * MIB }))).toMatchObject({ verdict: "pass", notes: [] });
  });

  it("that grows towards what the old release uses is no leak", () => {
    const baseline = recordBaseline({ memory: () => 900 * MIB });
    expect(bake(recordSeries({ memory: (second) => (300 + 8 * second) * MIB }, baseline))).toMatchObject({ verdict: "pass", notes: [] });
  });

  it("that grows far below its limit is only told", () => {
    const verdict = bake(recordSeries({ memory: (second) => (200 + 2 * second) * MIB }, recordBaseline({ memory: () => 150 * MIB })));
    expect(verdict.verdict).toBe("pass");
    expect(texts(verdict)).toContain("memory grew steadily");
  });

  it("that goes up and down as workers are replaced is no leak", () => {
    expect(bake(recordSeries({ memory: (second) => (600 + (second % 20) * 15) * MIB }))).toMatchObject({ verdict: "pass", notes: [] });
  });
});

describe("new log entries", () => {
  it("are told while they are few", () => {
    const verdict = bake(recordSeries({ log: () => ({ entries: 2, kinds: 1 }) }));
    expect(verdict.verdict).toBe("pass");
    expect(texts(verdict)).toContain("2 new ERROR or CRITICAL log entries of 1 kinds");
  });

  it.each([
    ["many kinds", { entries: 5, kinds: 5 }],
    ["one kind over and over", { entries: 30, kinds: 1 }],
  ])("take the release back when they are %s", (_name, log) => {
    expect(bake(recordSeries({ log: (second) => (second < 20 ? { entries: 0, kinds: 0 } : log) }))).toMatchObject({
      verdict: "fail",
      rule: "log",
      seconds: 20,
    });
  });
});

describe("scheduled jobs", () => {
  it.each([
    ["have run", { due: 2, ran: 1, sessions: 1 }, ""],
    ["had no reason to", { due: 0, ran: 0, sessions: 1 }, ""],
    ["were due and have not run", { due: 2, ran: 0, sessions: 1 }, "none of 2 scheduled jobs"],
    ["are not even connected", { due: 0, ran: 0, sessions: 0 }, "no session in the database"],
  ])("that %s never take a release back", (_name, cron, note) => {
    const verdict = bake(recordSeries({ cron }));
    expect(verdict.verdict).toBe("pass");
    expect(texts(verdict)).toContain(note);
    expect(verdict.notes.length).toBe(note === "" ? 0 : 1);
  });
});

describe("a container", () => {
  const web = { service: "web", state: "running", restartCount: 0, oomKilled: false };
  it.each([
    ["was restarted", [{ ...web, restartCount: 1 }], "ended and was restarted"],
    ["was restarted again and again", [{ ...web, restartCount: 3 }], "ended and was restarted 3 times"],
    ["ran out of memory", [{ ...web, oomKilled: true }], "ran out of memory"],
    ["is gone", [], "is gone"],
    ["has ended", [{ ...web, state: "exited" }], "is exited"],
  ])("that %s takes the release back at once", (_name, containers, problem) => {
    const verdict = bake(recordSeries({ containers: (second) => (second < 8 ? [web] : containers) }));
    expect(verdict).toMatchObject({ verdict: "fail", rule: "containers", seconds: 8, detail: `the web container ${problem}` });
  });

  it("that had been restarted before the bake is not held against the release", () => {
    const series = recordSeries({ containers: () => [{ ...web, restartCount: 3 }] });
    expect(bake({ ...series, before: [{ ...web, restartCount: 3 }] }).verdict).toBe("pass");
  });
});

describe("any verdict", () => {
  const stories = fc.record({
    people: fc.integer({ min: 0, max: 5 }),
    synthetic: fc.integer({ min: 0, max: 5 }),
    every: fc.integer({ min: 2, max: 60 }),
    flaky: fc.array(fc.boolean(), { minLength: 61, maxLength: 61 }),
  });
  const recorded = ({ people, synthetic, every, flaky }: { people: number; synthetic: number; every: number; flaky: boolean[] }): BakeSeries =>
    recordSeries(long({ people, synthetic, fails: (request) => request % every === 0, bad: (probe, round) => probe === "assets" && flaky[round] === true }));

  it("is made by the end of the extension at the latest", () => {
    fc.assert(
      fc.property(stories, (story) => {
        expect(bake(recorded(story)).seconds).toBeLessThanOrEqual(120);
      }),
      { numRuns: 50 },
    );
  });

  it("never lets a release stay before the bake's time is over", () => {
    fc.assert(
      fc.property(stories, (story) => {
        const { verdict, seconds } = bake(recorded(story));
        expect(verdict === "fail" || seconds >= 60).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("names a rule and numbers, whatever was seen", () => {
    const rounds = recordRounds({ seconds: 0 });
    expect(judgeBake(DEFAULT_POLICY, { before: [], baseline: undefined, rounds })).toMatchObject({ verdict: "unknown", rule: "time", numbers: { rounds: 1 } });
    expect(judgeBake(DEFAULT_POLICY, { before: [], baseline: undefined, rounds: [] })).toMatchObject({ verdict: "unknown", rule: "time" });
  });
});
