import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { formatPlan } from "../fakes/format-plan.ts";
import { prepareRollback, prepareSwap, swapBasis } from "../../src/swap/prepare-swap.ts";
import { readColourRelease, readServing, writeServing } from "../../src/swap/serving.ts";
import { Cut, FakeSite, releaseNamed, STACK } from "./fake-site.ts";

const ONE = releaseNamed("2026-11-24-1");
const TWO = releaseNamed("2026-11-24-2", { addons: { scale: { version: "1.3", content: "c2", schema: "s1" } } });

const THREE = releaseNamed("2026-11-24-3");

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

/** When a container is stopped, the proxy writes of one request that it cuts, and of one that ends in its grace. Gives when they began. */
function logAtStop(site: FakeSite, container: string): string {
  const startedAt = new Date(site.clock.now() - 65_000).toISOString();
  const entry = { RequestMethod: "POST", RequestPath: "/report/slow", StartUTC: startedAt, Duration: 65e9, DownstreamStatus: 503, OriginStatus: 503 };
  site.atPoint = (what) => {
    if (what !== `stop ${container}`) return;
    site.clock.pass(10);
    site.docker.say(STACK, "edge", JSON.stringify({ ...entry, ServiceName: "unavailable@file" }));
    site.docker.say(STACK, "edge", JSON.stringify({ ...entry, DownstreamStatus: 200, OriginStatus: 200 }));
  };
  return startedAt;
}

function warned(site: FakeSite): readonly string[] {
  return site.events.flatMap((event) => (event.kind === "note" && event.level === "warning" ? [event.text] : []));
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

  it("asks for pages while the websocket process still starts", async () => {
    const site = await served({ websocket: 500 });
    site.onEvent = (event) => {
      if (event.kind === "probe" && event.colour === "green" && event.name === "database") site.manners.set(TWO.image, {});
    };
    expect((await site.run((await prepareSwap(site.deps, TWO)).plan)).outcome).toBe("done");
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
    const told = logAtStop(site, `${STACK}-blue/web`);
    expect((await site.run(plan)).outcome).toBe("done");
    expect(warned(site)).toEqual([
      "Cut off when blue was stopped, 1 in all: POST /report/slow after 65 s. Of 1 that outlasted the drain on blue the proxy's log does not tell the end.",
    ]);
    const evidence = JSON.parse(await readFile(join(site.paths.run("run-1"), "evidence/cut-blue.json"), "utf8")) as unknown;
    expect(evidence).toMatchObject({ colour: "blue", requests: [{ method: "POST", startedAt: told }], untold: 1 });
  });

  it("names them as well when its process dies after the stop", async () => {
    const site = await served();
    const { plan } = await prepareSwap(site.deps, TWO);
    site.inFlight = 2;
    logAtStop(site, `${STACK}-blue/web`);
    const death = new AbortController();
    const { atPoint } = site;
    site.atPoint = (what) => {
      atPoint(what);
      if (what === "before done retire") death.abort(new Cut());
      death.signal.throwIfAborted();
    };
    await expect(site.run(plan, { signal: death.signal })).rejects.toThrow(Cut);
    site.atPoint = () => {};
    site.events.length = 0;
    expect((await site.run(plan)).outcome).toBe("done");
    expect(warned(site)).toEqual([expect.stringContaining("POST /report/slow after 65 s")]);
  });

  it("names those that it cuts off on a release that is taken back", async () => {
    const site = await served({ breaksAfter: 4 });
    const { plan } = await prepareSwap(site.deps, TWO);
    site.inFlight = 2;
    logAtStop(site, `${STACK}-green/web`);
    expect((await site.run(plan)).outcome).toBe("undone");
    expect(warned(site)).toContainEqual("Cut off when green was stopped, 1 in all: POST /report/slow after 65 s.");
  });

  it("plans nothing when the release serves already", async () => {
    const site = await served();
    expect((await prepareSwap(site.deps, ONE)).plan.steps).toEqual([]);
  });

  it("shows its steps in the order in which they can be undone quickest", async () => {
    const site = await served();
    const { plan } = await prepareSwap(site.deps, TWO);
    expect(plan.steps.map((step) => step.id)).toEqual(
      "image baseline up answers cron-stop warm cron-ended switch front cron-start bake confirm drain retire tidy".split(" "),
    );
    expect(formatPlan(plan)).toContain("Switch users from blue to green  (addon scale has new code)");
  });

  it("has nothing slow to undo between the bake and the switch back", async () => {
    const site = await served({ breaksAfter: 4 });
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    const kinds = site.journalEntries.filter((entry) => entry.run === "run-1" && entry.kind === "undoing").map((entry) => entry.step);
    expect(kinds[0]).toBe("switch");
  });
});

describe("new settings of the release that serves", () => {
  it("come by a swap to the same release", async () => {
    const site = await served();
    site.settings = "more workers";
    const { plan, classification } = await prepareSwap(site.deps);
    expect(classification).toMatchObject({ kind: "configuration", reasons: [expect.stringMatching(/^new settings of (cron and web|web and cron)/)] });
    expect((await site.run(plan)).outcome).toBe("done");
    expect(await site.whole()).toEqual({ routed: "green", serving: "green", cron: ["green"], isServed: true });
    const containers = await site.docker.containers(`${STACK}-green`);
    expect(containers.map((container) => container.labels["millwright.config"])).toEqual(["more workers", "more workers"]);
    expect((await prepareSwap(site.deps)).plan.steps).toEqual([]);
    await expect(prepareRollback(site.deps)).rejects.toMatchObject({ code: "ROLLBACK_IMPOSSIBLE" });
  });

  it("leave the way back to the release before as it was", async () => {
    const site = await served();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    site.settings = "more workers";
    expect((await site.run((await prepareSwap(site.deps)).plan, { run: "run-2" })).outcome).toBe("done");
    expect(await readServing(site.paths)).toMatchObject({ colour: "blue", release: TWO.id, previous: { colour: "green", release: ONE } });
    expect((await site.run((await prepareRollback(site.deps)).plan, { run: "run-3" })).outcome).toBe("done");
    expect(await site.whole()).toEqual({ routed: "green", serving: "green", cron: ["green"], isServed: true });
    expect(await readServing(site.paths)).toMatchObject({ release: ONE.id });
    const containers = await site.docker.containers(`${STACK}-green`);
    expect(containers.map(({ image, labels }) => [image, labels["millwright.config"]])).toEqual([
      [ONE.image, "more workers"],
      [ONE.image, "more workers"],
    ]);
  });

  it("that it cannot run with are taken back as a bad release is, and leave the way back as it was", async () => {
    const site = await served();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    site.settings = "no memory";
    const { plan } = await prepareSwap(site.deps);
    site.docker.behave(`${STACK}-blue/web`, { exits: 137 });
    expect((await site.run(plan, { run: "run-2" })).outcome).toBe("undone");
    site.settings = "";
    site.docker.behave(`${STACK}-blue/web`, {});
    expect((await site.run((await prepareRollback(site.deps)).plan, { run: "run-3" })).outcome).toBe("done");
    expect(await readServing(site.paths)).toMatchObject({ colour: "blue", release: ONE.id });
  });

  it("that it cannot run with are taken back as a bad release is", async () => {
    const site = await served();
    site.settings = "no memory";
    const { plan } = await prepareSwap(site.deps);
    site.docker.behave(`${STACK}-green/web`, { exits: 137 });
    expect((await site.run(plan)).outcome).toBe("undone");
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
    expect((await readServing(site.paths))?.release).toBe(ONE.id);
  });

  it("need no swap while no release serves", async () => {
    const site = await FakeSite.make();
    await expect(prepareSwap(site.deps)).rejects.toMatchObject({ code: "RELEASE_NOT_FOUND" });
  });
});

describe("images of past releases", () => {
  it("leave the disk, but for those that a colour holds and the five that came last", async () => {
    const site = await served();
    const past = Array.from({ length: 8 }, (_, index) => `sha256:${String(index).repeat(64)}`);
    for (const [index, id] of past.entries())
      site.docker.addImage(id, { tags: [`millwright/${STACK}:past-${index}`], taggedAt: `2026-10-0${index + 1}T00:00:00Z` });
    const other = site.docker.addImage("odoo:19");
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    const left = (await site.docker.images()).map((image) => image.id);
    expect(past.filter((id) => left.includes(id))).toEqual(past.slice(3));
    expect(left).toEqual(expect.arrayContaining([ONE.image, TWO.image, other.id]));
  });
});

describe("scheduled jobs of the old release", () => {
  const JOB = `${STACK}-blue/cron`;

  it("are asked to end once, and end while the new release is warmed", async () => {
    const site = await served();
    site.docker.behave(JOB, { endsAfter: 20_000 });
    expect((await site.run((await prepareSwap(site.deps, TWO)).plan)).outcome).toBe("done");
    expect(site.docker.calls.filter((call) => call.endsWith(JOB) && !call.startsWith("create"))).toEqual([`SIGTERM ${JOB}`, `stop ${JOB}`]);
    const order = site.journalEntries.filter((entry) => entry.run === "run-1").map((entry) => `${entry.kind} ${entry.step}`);
    expect(order.indexOf("done warm")).toBeLessThan(order.indexOf("done cron-ended"));
    expect((await site.whole()).cron).toEqual(["green"]);
  });

  it("that do not end in time keep the old release, and are waited for again rather than cut off", async () => {
    const site = await served();
    const patience = site.stack.facts.swap.cronSeconds * 1000;
    site.docker.behave(JOB, { endsAfter: patience * 1.5 });
    const { outcome, error } = await site.run((await prepareSwap(site.deps, TWO)).plan);
    expect(outcome).toBe("undone");
    expect(error).toMatchObject({ code: "JOB_RUNNING", exit: 6 });
    expect(error?.message).toContain('"Mail: send"');
    expect(error?.hint).toContain("swap.cron");
    expect(site.events.some((event) => event.kind === "note" && event.text.startsWith("Cut off"))).toBe(false);
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
  });

  it("that never end are cut off in the end, and named", async () => {
    const site = await served();
    site.docker.behave(JOB, { endsAfter: Number.POSITIVE_INFINITY });
    expect((await site.run((await prepareSwap(site.deps, TWO)).plan)).outcome).toBe("undone");
    expect(site.events).toContainEqual(
      expect.objectContaining({
        kind: "note",
        level: "warning",
        text: expect.stringMatching(/^Cut off after cronSeconds .*: scheduled job "Mail: send" of blue/),
      }),
    );
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
  });

  it("do not keep anyone from rolling back", async () => {
    const site = await served();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    site.docker.behave(`${STACK}-green/cron`, { endsAfter: Number.POSITIVE_INFINITY });
    expect((await site.run((await prepareRollback(site.deps)).plan, { run: "run-2" })).outcome).toBe("done");
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
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
    expect(error?.message).toContain("front door failed 2 times in a row, last: /web/login answered 500");
    expect(error?.details.at(-1)).toContain("evidence/bake.json");
    expect(await site.whole()).toEqual({ routed: "blue", serving: "blue", cron: ["blue"], isServed: true });
    expect(await site.running("web")).toEqual(["blue"]);
  });

  it("by the proxy's own counts is rolled back although every probe passes", async () => {
    const site = await served({ errorsInMetrics: 30 });
    const { error } = await site.run((await prepareSwap(site.deps, TWO)).plan);
    expect(error?.message).toMatch(/30 of 1\d\d requests/);
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

  it("starts the scheduled jobs itself when Compose takes their stopped container for one that runs", async () => {
    const site = await served();
    await site.run((await prepareSwap(site.deps, TWO)).plan, { run: "run-1" });
    const up = site.docker.up.bind(site.docker);
    // Compose goes by the engine's list, which is not written anew for what ends while the disk is full.
    site.docker.up = async (project, directory, services) => {
      if (services?.includes("cron") !== true) await up(project, directory, services);
    };
    expect(await site.run((await prepareSwap(site.deps, ONE)).plan, { run: "run-2" })).toMatchObject({ outcome: "done" });
    expect((await site.docker.containers(`${STACK}-blue`)).find(({ service }) => service === "cron")?.state).toBe("running");
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

describe("a disk without room", () => {
  it("stops an upgrade before it is begun, and never a rollback", async () => {
    const site = await served();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    site.addRelease(THREE);
    site.freeBytes = 0.9 * 1024 ** 3;
    await expect(prepareSwap(site.deps, THREE)).rejects.toMatchObject({
      code: "NO_SPACE",
      message: "The host has 0.9 GiB free, and an upgrade may need 1.0 GiB.",
    });
    expect((await site.run((await prepareRollback(site.deps)).plan, { run: "run-2" })).outcome).toBe("done");
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
      "cron-ended",
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

  it("is refused when by a record written by hand it would go to the colour that serves, which it would stop", async () => {
    const site = await served();
    await site.run((await prepareSwap(site.deps, TWO)).plan);
    const serving = await readServing(site.paths);
    if (serving === undefined) throw new Error("nothing serves");
    await writeServing(site.paths, { ...serving, colour: "blue", release: ONE.id });
    await expect(prepareRollback(site.deps)).rejects.toMatchObject({ code: "ROLLBACK_IMPOSSIBLE" });
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
