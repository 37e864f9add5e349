import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { formatPlan } from "../fakes/format-plan.ts";
import { prepareRollback, prepareSwap, swapBasis } from "../../src/swap/prepare-swap.ts";
import { readColourRelease, readServing } from "../../src/swap/serving.ts";
import { FakeSite, releaseNamed, STACK } from "./fake-site.ts";

const ONE = releaseNamed("2026-11-24-1");
const TWO = releaseNamed("2026-11-24-2", { addons: { scale: { version: "1.3", content: "c2", schema: "s1" } } });

/** A site on which the first release serves on blue. */
async function served(manner: Parameters<FakeSite["addRelease"]>[1] = {}, facts: Parameters<typeof FakeSite.make>[0] = {}): Promise<FakeSite> {
  const site = await FakeSite.make(facts);
  site.addRelease(ONE);
  await site.run((await prepareSwap(site.deps, ONE)).plan, { run: "run-0" });
  site.addRelease(TWO, manner);
  site.docker.calls.length = 0;
  site.events.length = 0;
  return site;
}

describe("a swap", () => {
  it("brings users, scheduled jobs and the record to the new release, and keeps the old one ready", async () => {
    const site = await served();
    const { plan } = await prepareSwap(site.deps, TWO);
    expect((await site.run(plan)).outcome).toBe("done");
    expect(await site.whole()).toEqual({ routed: "green", serving: "green", cron: ["green"], isServed: true });
    expect(await site.running("web")).toEqual(["green"]);
    expect((await readServing(site.paths))?.previous).toEqual({ colour: "blue", release: ONE });
  });

  it("stops the old cron before the new one starts", async () => {
    const site = await served();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    const { calls } = site.docker;
    expect(calls.indexOf(`stop ${STACK}-blue/cron`)).toBeGreaterThan(-1);
    expect(calls.indexOf(`stop ${STACK}-blue/cron`)).toBeLessThan(calls.indexOf(`create ${STACK}-green/cron`));
  });

  it("never switches before every worker was asked directly", async () => {
    const site = await served();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    const first = site.asked.findIndex((ask) => ask.port === 443 && ask.path === "/web/login");
    const direct = site.asked.slice(0, first).filter((ask) => ask.port === 8069 && ask.path === "/web/login");
    expect(direct.length).toBeGreaterThanOrEqual(4);
    expect(direct[0]?.headers).toMatchObject({ Host: "erp.example.com", "X-Forwarded-Host": "erp.example.com", "X-Forwarded-Proto": "https" });
  });

  it("keeps its evidence beside the run", async () => {
    const site = await served();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    const bake = JSON.parse(await readFile(join(site.paths.run("run-1"), "evidence/bake.json"), "utf8")) as { verdict: { verdict: string } };
    expect(bake.verdict.verdict).toBe("pass");
  });

  it("tells Traefik once more when the change was not seen", async () => {
    const site = await served();
    const { plan } = await prepareSwap(site.deps, TWO);
    site.isDeaf = true;
    expect((await site.run(plan)).outcome).toBe("done");
    expect(site.hungUp).toHaveLength(1);
  });

  it("names the requests that it cuts off, and still ends as done", async () => {
    const site = await served();
    const { plan } = await prepareSwap(site.deps, TWO);
    site.inFlight = 3;
    expect((await site.run(plan)).outcome).toBe("done");
    expect(site.events).toContainEqual(
      expect.objectContaining({ kind: "note", level: "warning", text: expect.stringContaining("3 requests still run on blue") }),
    );
  });

  it("plans nothing when the release serves already", async () => {
    const site = await served();
    expect((await prepareSwap(site.deps, ONE)).plan.steps).toEqual([]);
  });

  it("shows its steps in the order in which they can be undone quickest", async () => {
    const site = await served();
    const { plan } = await prepareSwap(site.deps, TWO);
    expect(plan.steps.map((step) => step.id)).toEqual("image up answers cron-stop warm switch front cron-start bake confirm drain retire".split(" "));
    expect(formatPlan(plan)).toContain("Switch users from blue to green  (addon scale has new code)");
  });

  it("has nothing slow to undo between the bake and the switch back", async () => {
    const site = await served({ breaksAfter: 4 });
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    const kinds = site.journalEntries.filter((entry) => entry.run === "run-1" && entry.kind === "undoing").map((entry) => entry.step);
    expect(kinds[0]).toBe("switch");
  });
});

describe("a release that is bad", () => {
  it("before the switch never meets a user, and the old one goes on with its jobs", async () => {
    const site = await served({ login: 500 });
    const { plan } = await prepareSwap(site.deps, TWO);
    const { outcome, error } = await site.run(plan);
    expect(outcome).toBe("undone");
    expect(error).toMatchObject({ code: "RELEASE_UNHEALTHY", exit: 6 });
    expect(error?.message).toContain("/web/login answered 500");
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
    expect(site.journalEntries.some((entry) => entry.run === "run-1" && entry.step === "switch")).toBe(false);
  });

  it("is found out when only its websockets are", async () => {
    const site = await served({ websocket: 500 });
    const { error } = await site.run((await prepareSwap(site.deps, TWO)).plan);
    expect(error?.message).toContain("/websocket/health answered 500");
  });

  it("and ends at once is not waited for, and its last words are told", async () => {
    const site = await served();
    const { plan } = await prepareSwap(site.deps, TWO);
    site.docker.behave(TWO.image, { exits: 3, logs: ["Traceback", "ImportError: no module named scale"] });
    const began = site.clock.now();
    const { error } = await site.run(plan);
    expect(error).toMatchObject({ code: "RELEASE_UNHEALTHY", details: ["Traceback", "ImportError: no module named scale"] });
    expect(site.clock.now() - began).toBeLessThan(5000);
  });

  it("in the bake is rolled back by itself, with what spoke against it", async () => {
    const site = await served({ breaksAfter: 4 });
    const { outcome, error } = await site.run((await prepareSwap(site.deps, TWO)).plan);
    expect(outcome).toBe("undone");
    expect(error?.message).toContain("2 rounds of probes in a row failed");
    expect(error?.details.at(-1)).toContain("evidence/bake.json");
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
    expect(await site.running("web")).toEqual(["blue"]);
  });

  it("by the proxy's own counts is rolled back although every probe passes", async () => {
    const site = await served({ errorsInMetrics: 30 });
    const { error } = await site.run((await prepareSwap(site.deps, TWO)).plan);
    expect(error?.message).toContain("30 of 130 requests");
  });

  it("whose container dies in the bake is rolled back within a second, not at the next round", async () => {
    const site = await served({}, { swap: { ...(await FakeSite.make()).stack.facts.swap, probeSeconds: 3600, bakeSeconds: 7200 } });
    const { plan } = await prepareSwap(site.deps, TWO);
    const began = site.clock.now();
    const watch = setInterval(() => {
      if (site.events.some((event) => event.kind === "progress")) site.docker.crash(`${STACK}-green`, "cron", 137);
    }, 1);
    const { error } = await site.run(plan);
    clearInterval(watch);
    expect(error?.message).toContain("the cron container is exited");
    expect(site.clock.now() - began).toBeLessThan(3600_000);
  });

  it("leaves the way back to the release before untouched", async () => {
    const site = await served();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    const three = site.addRelease(releaseNamed("2026-11-24-3"), { login: 500 });
    await site.run((await prepareSwap(site.deps, three)).plan, { run: "run-2" });
    expect(await readColourRelease(site.paths, "blue")).toEqual(ONE);
    const { plan } = await prepareRollback(site.deps);
    expect((await site.run(plan, { run: "run-3" })).outcome).toBe("done");
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
  });
});

describe("an abort", () => {
  it("in the bake brings everything back", async () => {
    const site = await served();
    const { plan } = await prepareSwap(site.deps, TWO);
    const controller = new AbortController();
    const abort = new MillwrightError("ABORTED", "A person aborted the run.");
    const watch = setInterval(() => site.events.some((event) => event.kind === "progress") && controller.abort(abort), 1);
    const { outcome, error } = await site.run(plan, { signal: controller.signal });
    clearInterval(watch);
    expect([outcome, error?.code]).toEqual(["undone", "ABORTED"]);
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
  });
});

describe("a first release", () => {
  it("fills the empty database, sets it up and opens the door", async () => {
    const site = await FakeSite.make();
    site.database.filled = false;
    site.addRelease(ONE);
    const { outcome } = await site.run((await prepareSwap(site.deps, ONE)).plan);
    expect(outcome).toBe("done");
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
    const init = site.docker.calls.find((call) => call.startsWith("run "));
    expect(init).toContain("--init base,mrp");
    expect(init).not.toContain("demo");
    expect(site.docker.execs.some((exec) => exec.words.includes("shell"))).toBe(true);
    expect(site.database.marker).toBe("");
  });

  it("never passes a password as a word of a command", async () => {
    const site = await FakeSite.make();
    site.database.filled = false;
    site.addRelease(ONE);
    await site.run((await prepareSwap(site.deps, ONE)).plan);
    const words = [...site.docker.calls, ...site.docker.execs.flatMap((exec) => exec.words)].join(" ");
    expect(words).not.toContain("is-long");
  });

  it("refuses demonstration data on a series that brings it by itself", async () => {
    const site = await FakeSite.make({ series: "18.0" });
    site.database.filled = false;
    const eighteen = site.addRelease({ ...releaseNamed("2026-11-24-1", { series: "18.0" }) });
    await site.run((await prepareSwap(site.deps, eighteen)).plan);
    expect(site.docker.calls.find((call) => call.startsWith("run "))).toContain("--without-demo=all");
  });

  it("whose installation logs an error is undone, and the database is empty again", async () => {
    const site = await FakeSite.make();
    site.database.filled = false;
    site.initLines = ["2026-11-24 02:00:00,000 1 ERROR acme odoo.modules.loading: Some modules are not loaded"];
    site.addRelease(ONE);
    const { outcome, error } = await site.run((await prepareSwap(site.deps, ONE)).plan);
    expect([outcome, error?.code]).toEqual(["undone", "RELEASE_UNHEALTHY"]);
    expect(site.database).toMatchObject({ filled: false, marker: "" });
    expect(await site.whole()).toEqual({ routed: "none", serving: "none", cron: [], isServed: true });
  });

  it("does not drop a database that users could have written to", async () => {
    const site = await FakeSite.make();
    site.database.filled = false;
    site.addRelease(ONE, { breaksAfter: 4 });
    const { outcome } = await site.run((await prepareSwap(site.deps, ONE)).plan);
    expect(outcome).toBe("undone");
    expect(site.database.filled).toBe(true);
  });

  it("takes a database that holds Odoo already as it is", async () => {
    const site = await FakeSite.make();
    site.addRelease(ONE);
    await site.run((await prepareSwap(site.deps, ONE)).plan);
    expect(site.docker.calls.some((call) => call.startsWith("run "))).toBe(false);
    expect(site.docker.execs).toEqual([]);
  });
});

describe("a rollback", () => {
  it("starts the release before, moves users first, then the jobs, and stops the bad one", async () => {
    const site = await served();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    const { plan } = await prepareRollback(site.deps);
    expect(plan.steps.map((step) => step.id)).toEqual([
      "image",
      "up",
      "answers",
      "warm",
      "switch",
      "front",
      "cron-stop",
      "cron-start",
      "confirm",
      "drain",
      "retire",
    ]);
    expect((await site.run(plan, { run: "run-2" })).outcome).toBe("done");
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
    expect(await site.running("web")).toEqual(["blue"]);
  });

  it("only looks and switches while the old colour still runs", async () => {
    const site = await served();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    const web = (await site.docker.containers(`${STACK}-blue`)).find((container) => container.service === "web");
    await site.docker.start(web?.id ?? "");
    const { plan } = await prepareRollback(site.deps);
    expect(plan.steps.slice(0, 3).map((step) => step.id)).toEqual(["check", "switch", "front"]);
    expect((await site.run(plan, { run: "run-2" })).outcome).toBe("done");
  });

  it("is not undone by a cron that does not start: users are better off", async () => {
    const site = await served();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    const { plan } = await prepareRollback(site.deps);
    site.docker.behave(`${STACK}-blue/cron`, { exits: 1 });
    site.docker.behaviours.delete(ONE.image);
    const { outcome, warnings } = await site.run(plan, { run: "run-2" });
    expect([outcome, warnings.length]).toEqual(["done", 1]);
    expect(await site.routed()).toBe("blue");
  });

  it("is not offered twice: nothing is before the release before", async () => {
    const site = await served();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    await site.run((await prepareRollback(site.deps)).plan, { run: "run-2" });
    await expect(prepareRollback(site.deps)).rejects.toMatchObject({ code: "ROLLBACK_IMPOSSIBLE", exit: 2 });
  });
});

describe("preparing a swap", () => {
  it("refuses a release that needs a module update and names the addons", async () => {
    const site = await served();
    const changed = site.addRelease(releaseNamed("2026-11-24-9", { addons: { scale: { version: "2.0", content: "c9", schema: "s9" } } }));
    await expect(prepareSwap(site.deps, changed)).rejects.toMatchObject({ code: "RELEASE_NEEDS_UPDATE", exit: 2, message: expect.stringContaining("scale") });
    expect(site.docker.calls).toEqual([]);
  });

  it("refuses a release whose image has not arrived, with what to type", async () => {
    const site = await served();
    const absent = releaseNamed("2026-11-24-8");
    await expect(prepareSwap(site.deps, absent)).rejects.toMatchObject({ code: "IMAGE_MISSING", hint: expect.stringContaining("release push 2026-11-24-8") });
  });

  it("refuses an edited release on the host too", async () => {
    const site = await served();
    await expect(prepareSwap(site.deps, { ...TWO, notes: "edited" })).rejects.toMatchObject({ code: "RELEASE_EDITED" });
  });

  it("refuses the release of another site", async () => {
    const site = await served();
    await expect(prepareSwap(site.deps, releaseNamed("2026-11-24-2", { site: "other" }))).rejects.toMatchObject({ code: "RELEASE_INVALID" });
  });

  it("refuses a smoke check that could write", async () => {
    const site = await served({}, { smoke: [{ kind: "jsonrpc", name: "orders", model: "sale.order", method: "unlink", args: [] }] }).catch(
      (error: unknown) => error,
    );
    expect(site).toMatchObject({ code: "SITE_INVALID", subject: "orders" });
  });

  it("refuses to begin without a running platform", async () => {
    const site = await served();
    site.docker.crash(STACK, "edge");
    await expect(prepareSwap(site.deps, TWO)).rejects.toMatchObject({ code: "PLATFORM_DOWN", subject: "edge" });
  });

  it("has a basis that holds while nothing changes, and not when a container does", async () => {
    const site = await served();
    const { plan } = await prepareSwap(site.deps, TWO);
    expect(await swapBasis(site.deps, plan)).toBe(plan.basis);
    site.docker.crash(`${STACK}-blue`, "web");
    expect(await swapBasis(site.deps, plan)).not.toBe(plan.basis);
  });

  it("changes nothing", async () => {
    const site = await served();
    await prepareSwap(site.deps, TWO);
    expect(site.docker.calls).toEqual([]);
  });
});
