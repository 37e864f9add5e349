import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect } from "vitest";
import * as z from "zod";
import { Browser, Crowd, mixedPages } from "./crowd.ts";
import { eventually } from "./eventually.ts";
import { FIXTURES } from "./fixture-release.ts";
import { Person } from "./person.ts";
import { type Plant, createPlant, errorOf } from "./plant.ts";
import { story } from "./steps.ts";

const BROWSERS = 24;

const SITE = {
  "swap.canary.percent": [20, 60],
  "swap.canary.stage": "8s",
  sessions: "redis",
  smoke: [
    { kind: "http", name: "the plant's own page", path: "/plant/version", contains: "release" },
    { kind: "jsonrpc", name: "users can be counted", model: "res.users", method: "search_count", args: [[]] },
  ],
};

/** A run that waits in its preview, and what leads to it as somebody is told who follows from elsewhere. */
interface Shown {
  readonly run: string;
  readonly path: string;
  readonly secret: string;
}

async function shown(plant: Plant): Promise<Shown> {
  const run = await eventually(() => plant.lockedBy(), { every: 20, what: "the lock" });
  const follower = plant.startPlain("follow", "--json-lines");
  try {
    let text = "";
    follower.process.stdout?.setEncoding("utf8").on("data", (chunk: string) => void (text += chunk));
    const line = await eventually(() => text.split("\n").find((told) => told.startsWith('{"kind":"preview"') && told.endsWith("}")), {
      what: "a preview",
      timeout: 120_000,
    });
    const { link } = JSON.parse(line) as { readonly link: string };
    const { pathname } = new URL(link);
    return { run, path: pathname, secret: pathname.replace("/millwright-preview/", "") };
  } finally {
    follower.process.kill("SIGINT");
    await follower.done;
  }
}

/** Requests for that colour by the proxy's count. */
async function counted(plant: Plant, colour: string): Promise<number> {
  const edge = "$(docker ps --quiet --filter label=com.docker.compose.service=edge)";
  const text = await plant.sh("sh", "-c", `docker exec ${edge} wget -q -O - http://127.0.0.1:8082/metrics`);
  const lines = text.split("\n").filter((line) => line.startsWith("traefik_service_requests_total{") && line.includes(`service="odoo-${colour}@file"`));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** Where on the host that text is: files of the stack, and containers whose log holds it. */
async function placesOf(plant: Plant, text: string): Promise<readonly string[]> {
  const base = `/srv/millwright/${plant.stack}`;
  const logs = `for name in $(docker ps --all --format '{{.Names}}'); do docker logs "$name" 2>&1 | grep -q ${text} && echo "$name"; done`;
  const found = await plant.sh("sh", "-c", `grep -rl --exclude-dir=data ${text} ${base}; ${logs}; journalctl --quiet --grep ${text} | head -1; true`);
  return found
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(`${base}/`, ""))
    .sort();
}

/** What a probe of that name has said in a run, each once. */
async function verdictsOf(plant: Plant, run: string, name: string): Promise<readonly (string | undefined)[]> {
  return [...new Set((await plant.events(run)).flatMap((event) => (event.kind === "probe" && event.name === name ? [event.verdict] : [])))];
}

/** When a step of a run came to that, in milliseconds since the epoch. */
async function timeOf(plant: Plant, run: string, step: string, state: string): Promise<number> {
  const event = (await plant.events(run)).find((candidate) => candidate.id === step && candidate.state === state);
  return Date.parse(event?.at ?? "");
}

describe("a canary and a preview, with browsers that keep their cookies and logins that Redis keeps", () => {
  let plant: Plant;
  let [first, good] = ["", ""];
  const step = story(() => plant);

  beforeAll(async () => {
    plant = await createPlant({ host: "canary", template: "loaded", site: SITE });
    await plant.bootstrap();
    first = await plant.serveFirst();
    good = await plant.release(FIXTURES.good);
  });
  afterAll(async () => {
    await plant?.[Symbol.asyncDispose]();
  });

  step("moves its share of browsers stage by stage, none back, and nobody's page is of two releases; no request fails", async () => {
    const person = new Person(plant.door);
    const { value } = z.object({ value: z.string() }).parse(await plant.must("secrets", "show", "odoo_admin"));
    expect(await person.logIn("odoo", "admin", value)).toBe(2);

    await using load = await plant.load({ rate: 10 });
    const crowd = new Crowd("good", plant.door, BROWSERS);
    const upgrade = plant.startUpgrade(good);
    const run = await eventually(() => plant.lockedBy(), { every: 20, what: "the lock" });
    const outcome = await upgrade.done;
    await crowd.stop();
    const report = await load.stop();

    expect({ code: outcome.code, failed: report.failed, slowFailed: report.slowFailed, failures: [...report.failures, ...crowd.failures] }).toEqual({
      code: 0,
      failed: 0,
      slowFailed: 0,
      failures: [],
    });
    // A page that is open while all are moved lives through that, as with every switch.
    const [from, to] = [await timeOf(plant, run, "switch", "begun"), await timeOf(plant, run, "front", "done")];
    const apart = crowd.views.filter(({ began, ended }) => ended < from || began > to);
    expect(apart.length).toBeGreaterThan(crowd.browsers.length);
    expect(await mixedPages(plant, "good", apart)).toEqual([]);

    const ways = crowd.browsers.map(({ views }) => views.map(({ colour }) => colour).join(" "));
    for (const way of ways) expect(way).toMatch(/^(blue ?)*(green ?)*$/);
    const early = crowd.browsers.map(({ views }) => views.some((view) => view.ended < from && view.colour === "green"));
    // Of twenty-four, sixty of a hundred: chance may give more or fewer, but neither none nor all (1 in 200 000).
    expect([early.includes(true), early.includes(false)]).toEqual([true, true]);
    // Those with a worker as well (1 in 60 000).
    expect(early.some((isEarly, index) => isEarly && index % 2 === 1)).toBe(true);
    expect(await plant.serving()).toEqual({ number: 2, colour: "green" });

    // Whoever was logged in is so with the new release, which knows it from Redis alone.
    expect(await person.uid()).toBe(2);
    expect(await new Person(plant.door).uid()).toBe(null);
    expect(await plant.sh("sh", "-c", `find /srv/millwright/${plant.stack}/data -path '*/sessions/*' -type f | wc -l`)).toBe("0");
    expect(await verdictsOf(plant, run, "the plant's own page")).toEqual(["pass"]);
    expect(await verdictsOf(plant, run, "users can be counted")).toEqual(["pass"]);
  });

  step("is drawn in the report: each stage with its verdict, and what both releases were asked in it", async () => {
    const { file } = z.object({ file: z.string() }).parse(await plant.must("report"));
    const page = await readFile(file, "utf8");
    const rows = [...page.matchAll(/<th scope="row">(20|60) %<\/th>([\s\S]*?)<\/tr>/g)].map(([, percent, cells = ""]) => ({
      percent,
      asked: [...cells.matchAll(/(\d+) requests, 0 of them 5xx/g)].map(([, count]) => Number(count) > 0),
      isGood: cells.includes("✔ pass"),
    }));
    expect(rows).toEqual(["20", "60"].map((percent) => ({ percent, asked: [true, true], isGood: true })));
    expect(page).toContain('<title id="share-title">');
    expect(page).not.toMatch(/https?:\/\//);
  });

  step("aborted in a stage leads every browser back at once, also those that were pinned, and no request fails", async () => {
    await using load = await plant.load({ rate: 10 });
    const crowd = new Crowd("abort", plant.door, BROWSERS);
    const upgrade = plant.startUpgrade(first);
    const run = await eventually(() => plant.lockedBy(), { every: 20, what: "the lock" });
    await eventually(() => crowd.browsers.some(({ views }) => views.at(-1)?.colour === "blue"), { what: "a browser on the new release", timeout: 120_000 });
    const status = (await plant.must("status")) as { readonly run?: { readonly step?: string } };
    const abort = await plant.run("abort", "--yes");
    const outcome = await upgrade.done;
    await crowd.stop();
    const after = await Promise.all(crowd.browsers.map((browser) => browser.open()));
    const report = await load.stop();

    expect(status.run?.step).toMatch(/^Lead (20|60) of 100 browsers to blue/);
    expect({ abort: abort.code, code: outcome.code, error: errorOf(outcome).code }).toEqual({ abort: 0, code: 6, error: "ABORTED" });
    expect({ failed: report.failed, slowFailed: report.slowFailed, failures: [...report.failures, ...crowd.failures] }).toEqual({
      failed: 0,
      slowFailed: 0,
      failures: [],
    });
    expect(new Set(after.map(({ colour }) => colour))).toEqual(new Set(["green"]));
    // Back with the first step that was undone, and nobody afterwards.
    const undone = (await plant.events(run)).find(({ id, state }) => id?.startsWith("canary-") === true && state === "undone");
    expect(Date.parse(undone?.at ?? "")).toBeGreaterThan(0);
    expect(crowd.views.filter(({ began, colour }) => colour === "blue" && began > Date.parse(undone?.at ?? ""))).toEqual([]);
    expect(await plant.coloursUp()).toEqual(["green/cron", "green/web"]);
    expect({ serves: await plant.serving(), lock: await plant.lockedBy() }).toEqual({ serves: { number: 2, colour: "green" }, lock: undefined });
  });

  step("in a preview meets who opens the link or sends the header, by pages and websockets, and nobody else; aborted it meets nobody", async () => {
    await using load = await plant.load({ rate: 10 });
    const crowd = new Crowd("unshown", plant.door, BROWSERS);
    const upgrade = plant.start("upgrade", "--release", first, "--preview", "--yes");
    const { run, path, secret } = await shown(plant);
    const before = { tested: await counted(plant, "blue"), used: await counted(plant, "green") };
    const wrong = secret.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    const [tester, program, stranger, guesser] = [
      new Browser("shown-0", plant.door, false),
      new Browser("shown-1", plant.door, false, { "x-millwright-preview": secret }),
      new Browser("shown-2", plant.door, false),
      new Browser("shown-3", plant.door, true, { "x-millwright-preview": wrong }),
    ];
    const [opened, guessed] = [await tester.follow(path), await stranger.follow(path.replace(secret, wrong))];
    for (const browser of [tester, program, stranger, guesser]) for (let pages = 0; pages < 3; pages += 1) await browser.open();
    const after = { tested: await counted(plant, "blue"), used: await counted(plant, "green") };
    const [status, places] = [await plant.must("status"), await placesOf(plant, secret)];
    const abort = await plant.run("abort", "--yes");
    const outcome = await upgrade.done;
    await crowd.stop();
    const late = [await tester.open(), await program.open()];
    const report = await load.stop();

    expect([opened.statusCode, opened.headers.location, guessed.statusCode]).toEqual([302, "/", 404]);
    const views = [tester, program, stranger, guesser].map((browser) => browser.views.slice(0, 3));
    expect(views.map((all) => [...new Set(all.map(({ colour }) => colour))].join(" "))).toEqual(["blue", "blue", "green", "green"]);
    expect(await mixedPages(plant, "shown", views.flat())).toEqual([]);
    expect([after.tested - before.tested, after.used > before.used]).toEqual([0, true]);
    expect(status).toMatchObject({ run: { run, preview: {} }, concerns: [expect.stringContaining("waits in its preview since")] });
    expect(places).toEqual([`state/runs/${run}/preview.json`, "traffic/dynamic/millwright.yml"]);
    expect({ abort: abort.code, code: outcome.code, error: errorOf(outcome).code }).toEqual({ abort: 0, code: 6, error: "ABORTED" });
    expect(outcome.stderr).toContain(`opens  https://${plant.door.domain}${path}`);
    expect({
      failed: report.failed,
      slowFailed: report.slowFailed,
      colours: Object.keys(report.colours),
      failures: [...report.failures, ...crowd.failures],
    }).toEqual({
      failed: 0,
      slowFailed: 0,
      colours: ["green"],
      failures: [],
    });
    expect(new Set(crowd.views.map(({ colour }) => colour))).toEqual(new Set(["green"]));
    expect(late.map(({ colour }) => colour)).toEqual(["green", "green"]);
    expect(await placesOf(plant, secret)).toEqual([]);
    expect(await plant.coloursUp()).toEqual(["green/cron", "green/web"]);
  });

  step("goes on from its preview when somebody resumes it, and no request fails", async () => {
    await using load = await plant.load({ rate: 10 });
    const crowd = new Crowd("resumed", plant.door, BROWSERS);
    const upgrade = plant.start("upgrade", "--release", first, "--preview", "--yes");
    const { run, path } = await shown(plant);
    const tester = new Browser("watcher-0", plant.door, false);
    await tester.follow(path);
    const view = await tester.open();
    const early = new Set(crowd.views.map(({ colour }) => colour));
    const resume = await plant.run("resume");
    const outcome = await upgrade.done;
    await crowd.stop();
    const report = await load.stop();

    expect([view.colour, ...early]).toEqual(["blue", "green"]);
    expect({ resume: resume.code, code: outcome.code }).toEqual({ resume: 0, code: 0 });
    expect({ failed: report.failed, slowFailed: report.slowFailed, failures: [...report.failures, ...crowd.failures] }).toEqual({
      failed: 0,
      slowFailed: 0,
      failures: [],
    });
    const done = (await plant.events(run)).find(({ id, state }) => id === "preview" && state === "done") as { readonly detail?: string } | undefined;
    expect(done?.detail).toMatch(/ said go after \d+ s$/);
    expect(await plant.serving()).toEqual({ number: 1, colour: "blue" });
  });
});
