import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { StackFacts } from "../../src/blueprint/stack.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { pinCookie } from "../../src/swap/canary-routes.ts";
import { evidencePath } from "../../src/swap/evidence.ts";
import { prepareRollback, prepareSwap } from "../../src/swap/prepare-swap.ts";
import { type Round, seriesLineSchema, verdictSchema } from "../../src/swap/series.ts";
import { ledTo } from "../fakes/led-to.ts";
import { formatPlan } from "../fakes/format-plan.ts";
import { FakeSite, type Manner, served, STACK, TWO } from "./fake-site.ts";

const PLACE = { run: "run-1" };
const FACTS = (await FakeSite.make()).stack.facts;
const CANARY: Partial<StackFacts> = { swap: { ...FACTS.swap, canary: { percent: [1, 10, 50], stageSeconds: 20 } } };
const pinnedIn = (percent: number): string => pinCookie({ colour: "green", run: "run-1", percent, before: 0 });

/** A site with a canary on which the first release serves on blue. */
const canarySite = async (next: Manner = {}): Promise<FakeSite> => await served(next, CANARY);

/** The routing file as it is while that step watches. */
async function routesIn(site: FakeSite, step: string): Promise<string> {
  let routes: Promise<string> | undefined;
  site.onEvent = (event) => void (event.kind === "progress" && event.id === step && (routes ??= site.routing()));
  await site.run((await prepareSwap(site.deps, TWO)).plan);
  return (await routes) ?? "";
}

describe("a canary", () => {
  it("is stages between the warm-up and the end of the old jobs, each with its way back", async () => {
    const site = await canarySite();
    const { plan } = await prepareSwap(site.deps, TWO);
    expect(plan.steps.map(({ id }) => id).join(" ")).toBe(
      "image baseline up answers warm canary-1 canary-10 canary-50 cron-stop cron-ended switch front cron-start bake confirm drain retire tidy",
    );
    expect(formatPlan(plan)).toContain("Lead 10 of 100 browsers to green and watch 2026-11-24-2 for 20 s");
    expect(plan.steps.filter(({ kind }) => kind === "canary").map(({ params, undo, watchSeconds }) => [params, undo, watchSeconds])).toEqual(
      [
        { percent: 1, before: 0 },
        { percent: 10, before: 1 },
        { percent: 50, before: 10 },
      ].map((params) => [params, "lead everybody back to blue at once", 20]),
    );
  });

  it("is no part of a first release or of a rollback", async () => {
    const site = await canarySite();
    const first = site.journalEntries.filter(({ run, step }) => run === "run-0" && step.startsWith("canary"));
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    const { plan } = await prepareRollback(site.deps);
    expect([...first, ...plan.steps.filter(({ kind }) => kind === "canary")]).toEqual([]);
  });

  it("is for releases: new settings of the one that serves come by an ordinary swap", async () => {
    const site = await canarySite();
    site.settings = "more workers";
    const { plan, classification } = await prepareSwap(site.deps);
    expect(classification.kind).toBe("configuration");
    expect(plan.steps.map(({ id }) => id).join(" ")).toBe(
      "image baseline up answers cron-stop warm cron-ended switch front cron-start bake confirm drain retire tidy",
    );
  });

  it("ends with all users on the new release", async () => {
    const site = await canarySite();
    expect((await site.run((await prepareSwap(site.deps, TWO)).plan)).outcome).toBe("done");
    expect(await site.whole()).toEqual({ routed: "green", serving: "green", cron: ["green"], isServed: true });
    expect(await site.routing()).not.toMatch(/blue|canary/);
  });

  it("leaves the scheduled jobs with the old release through all its stages", async () => {
    const site = await canarySite();
    const jobs: Promise<readonly string[]>[] = [];
    site.onEvent = (event) => void (event.kind === "progress" && event.id.startsWith("canary") && jobs.push(site.running("cron")));
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    expect(new Set((await Promise.all(jobs)).flat())).toEqual(new Set(["blue"]));
  });

  it("in a later stage keeps those whom an earlier one has led, and everybody else on the old release", async () => {
    const routes = await routesIn(await canarySite(), "canary-10");
    const colours = ["", pinnedIn(1), `a=b; ${pinnedIn(10)}`, pinnedIn(1).replace("run-1", "run-0"), `${pinnedIn(1)}x`].map(
      (cookie) => ledTo(routes, { Cookie: cookie })?.colour,
    );
    expect(colours).toEqual(["blue", "green", "green", "blue", "blue"]);
  });

  it("judges each stage by the new release's own answers, which synthetic requests of a pinned browser make up", async () => {
    const site = await canarySite();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    for (const percent of [1, 10, 50]) {
      const { verdict } = JSON.parse(await readFile(evidencePath({ ...PLACE, paths: site.paths }, `canary-${percent}.json`), "utf8")) as { verdict: unknown };
      const { numbers, verdict: said } = verdictSchema.parse(verdict);
      expect([said, (numbers["requests"] ?? 0) >= 20, (numbers["requests"] ?? 0) < 60]).toEqual(["pass", true, true]);
      expect(await readFile(evidencePath({ ...PLACE, paths: site.paths }, `series-canary-${percent}.jsonl`), "utf8")).toContain('"kind":"verdict"');
    }
    const synthetic = site.asked.filter(({ headers }) => headers?.["User-Agent"] === "millwright-synthetic" && headers["Cookie"] !== undefined);
    expect(new Set(synthetic.map(({ headers }) => headers?.["Cookie"]))).toEqual(new Set([pinnedIn(1), pinnedIn(10), pinnedIn(50)]));
  });

  it("records what both releases were asked in each stage, and only the new one in the bake", async () => {
    const site = await canarySite();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    const rounds = async (file: string): Promise<readonly Round[]> => {
      const lines = (await readFile(evidencePath({ ...PLACE, paths: site.paths }, file), "utf8")).trim().split("\n");
      return lines.map((text) => seriesLineSchema.parse(JSON.parse(text))).flatMap((line) => (line.kind === "round" ? [line] : []));
    };
    const stage = await rounds("series-canary-10.jsonl");
    // The fake's people came to the old colour before the stage, so they are not counted in it.
    expect(stage.map(({ old }) => old?.requests)).toEqual(stage.map(() => expect.any(Number) as number));
    expect(stage.at(-1)?.old?.requests).toBeLessThan(site.people);
    expect((await rounds("series.jsonl")).filter(({ old }) => old !== undefined)).toEqual([]);
  });

  it("counts in the bake only what came after the switch", async () => {
    const site = await canarySite();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    const counted = site.journalEntries.find(({ run, step, kind }) => run === "run-1" && step === "switch" && kind === "done")?.detail["counted"] as {
      requests: number;
      routers: unknown;
    };
    const { verdict } = JSON.parse(await readFile(evidencePath({ ...PLACE, paths: site.paths }, "bake.json"), "utf8")) as { verdict: unknown };
    expect(counted.requests).toBeGreaterThan(60);
    // The pinned routers, by which they were counted, go with the switch: what came by the plain ones is all theirs.
    expect(counted.routers).toEqual({});
    // Its own, and the hundred of people that the fake adds to the colour that is switched to.
    expect(verdictSchema.parse(verdict).numbers["requests"]).toBeLessThan(site.people + 60);
  });
});

describe("a release that breaks in a canary", () => {
  it("is taken back from the stage it was in, and nobody else has met it", async () => {
    const site = await canarySite({ breaksAfter: 12 });
    const ended = await site.run((await prepareSwap(site.deps, TWO)).plan);
    expect(ended).toMatchObject({ outcome: "undone", error: { code: "RELEASE_UNHEALTHY" } });
    expect(ended.error?.message).toContain("lost its canary at 1 % by the rule");
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
    expect(site.journalEntries.filter(({ run, step }) => run === "run-1" && (step === "switch" || step === "cron-stop"))).toEqual([]);
  });
});

describe("a job of the old release that does not end after the last stage", () => {
  it("keeps nobody on the new release: users go back before it is waited for", async () => {
    const site = await canarySite();
    site.docker.behave(`${STACK}-blue/cron`, { endsAfter: Number.POSITIVE_INFINITY });
    const routes: Promise<string>[] = [];
    site.onEvent = (event) => {
      // What is told of the job that is cut off in the end comes after the wait.
      if (event.kind === "note" && event.text.startsWith("Cut off")) routes.push(site.routing());
    };
    const { outcome, error } = await site.run((await prepareSwap(site.deps, TWO)).plan);
    expect({ outcome, code: error?.code }).toEqual({ outcome: "undone", code: "JOB_RUNNING" });
    expect(error?.message).toContain("Whom the canary has led goes back.");
    expect(routes).toHaveLength(1);
    expect(await routes[0]).not.toContain("green");
  });
});

describe("a front door that fails now and then", () => {
  it("is asked again for a browser's cookie, and not taken for another kind of proxy", async () => {
    const site = await canarySite();
    const { draw } = site;
    let asked = 0;
    site.draw = (...words) => {
      asked += 1;
      return asked <= 4 ? {} : draw(...words);
    };
    expect((await site.run((await prepareSwap(site.deps, TWO)).plan)).outcome).toBe("done");
  });
});

describe("a proxy that makes its cookies in another way", () => {
  it("leads nobody by them: the canary goes back at its first stage, and says why", async () => {
    const site = await canarySite();
    const { draw } = site;
    site.draw = (...words) => Object.fromEntries(Object.entries(draw(...words)).map(([name, value]) => [name, value.replace("=", "=other")]));
    expect(await site.run((await prepareSwap(site.deps, TWO)).plan)).toMatchObject({ outcome: "undone", error: { code: "TRAFFIC_INVALID" } });
    expect(await site.routing()).not.toContain("canary");
  });
});

describe("an abort in a canary", () => {
  it.each([1, 10, 50])("leads everybody back at once from stage %i, pinned or not", async (percent) => {
    const site = await canarySite();
    const controller = new AbortController();
    let asked = 0;
    site.onEvent = (event) => {
      if (event.kind === "progress" && event.id === `canary-${percent}`) controller.abort(new MillwrightError("ABORTED", "The run was aborted by a person."));
      if (event.kind === "step" && event.state === "undone") asked ||= site.docker.calls.length;
    };
    const calls = site.docker.calls.length;
    expect((await site.run((await prepareSwap(site.deps, TWO)).plan, { signal: controller.signal })).error?.code).toBe("ABORTED");
    const routes = await site.routing();
    expect(["", pinnedIn(1), pinnedIn(10), pinnedIn(50)].map((cookie) => ledTo(routes, { Cookie: cookie })?.colour)).toEqual(["blue", "blue", "blue", "blue"]);
    expect(routes).not.toContain("green");
    // Users first: no container was stopped before the first step was undone.
    expect(site.docker.calls.slice(calls, asked).filter((call) => /^(stop|remove)/.test(call))).toEqual([]);
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
    expect(await site.running("web")).toEqual(["blue"]);
  });

  it("starts the old release again first, if that has ended meanwhile", async () => {
    const site = await canarySite();
    const controller = new AbortController();
    site.onEvent = (event) => {
      if (event.kind !== "progress" || event.id !== "canary-10") return;
      controller.abort(new MillwrightError("ABORTED", "The run was aborted by a person."));
    };
    const { deps } = site;
    const web = (await deps.docker.containers(`${STACK}-blue`)).find(({ service }) => service === "web");
    const { plan } = await prepareSwap(deps, TWO);
    let isStopped = false;
    site.atPoint = (what) => {
      if (isStopped || what !== "before begun canary-10" || web === undefined) return;
      isStopped = true;
      void site.docker.stop(web.id, 0);
    };
    await site.run(plan, { signal: controller.signal });
    site.atPoint = () => {};
    expect(await site.running("web")).toEqual(["blue"]);
  });
});
