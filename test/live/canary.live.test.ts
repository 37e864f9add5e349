import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { ClientRequest, IncomingMessage } from "node:http";
import https from "node:https";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect } from "vitest";
import * as z from "zod";
import { eventually } from "./eventually.ts";
import { FIXTURES } from "./fixture-release.ts";
import type { FrontDoor } from "./front-door.ts";
import { type Plant, createPlant, errorOf } from "./plant.ts";
import { story } from "./steps.ts";

const BROWSERS = 24;
const PAUSE_MILLISECONDS = 3000;
/** Odoo's websocket process has as many database connections as the site has users, ten: it answers 500 to handshakes beyond them. */
const HANDSHAKES_AT_ONCE = 6;

/** A page with what it asks for: all of it should be of one release. */
interface PageView {
  /** `<browser>/<number>` */
  readonly id: string;
  readonly began: number;
  ended: number;
  /** Of the page itself. */
  readonly colour: string;
  /** Colours of its parts, in no order. */
  readonly parts: string[];
}

/** Opens pages as a browser does: with its cookies, and saying of a request what it is for. */
class Browser {
  readonly name: string;
  readonly views: PageView[] = [];
  readonly failures: string[] = [];
  readonly #door: FrontDoor;
  /** What it says when it opens a page: as itself, or through the service worker that Odoo has below /odoo. */
  readonly #opens: Readonly<Record<string, string>>;
  /** What it sends with everything. */
  readonly #always: Readonly<Record<string, string>>;
  readonly #cookies = new Map<string, string>();

  constructor(name: string, door: FrontDoor, hasWorker: boolean, always: Readonly<Record<string, string>> = {}) {
    this.name = name;
    this.#door = door;
    this.#always = always;
    this.#opens = hasWorker ? { "sec-fetch-mode": "navigate", "sec-fetch-dest": "empty" } : { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  }

  /** A page, then its script and a call, then its websocket, whose colour is in the proxy's log alone: by the page's id. */
  async open(): Promise<PageView> {
    const began = Date.now();
    const id = `${this.name}/${this.views.length}`;
    const view: PageView = { id, began, ended: began, colour: await this.#ask("/plant/version", this.#opens), parts: [] };
    view.parts.push(
      ...(await Promise.all([this.#ask("/plant/version", { "sec-fetch-dest": "script" }), this.#ask("/web/login", { "sec-fetch-dest": "empty" })])),
    );
    await this.#websocket(id);
    view.ended = Date.now();
    this.views.push(view);
    return view;
  }

  /** Opens a link that somebody sent; the answer, of which it keeps the cookies. */
  async follow(path: string): Promise<IncomingMessage> {
    return await this.#answer(https.get(this.#options(path, this.name)));
  }

  async #answer(request: ClientRequest): Promise<IncomingMessage> {
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.resume();
    await once(response, "end");
    for (const cookie of response.headers["set-cookie"] ?? []) this.#keep(cookie);
    return response;
  }

  async #ask(path: string, purpose: Readonly<Record<string, string>>): Promise<string> {
    const request = https.get({ ...this.#options(path, this.name), headers: { ...this.#headers(this.name), ...purpose } });
    try {
      const response = await this.#answer(request);
      if (response.statusCode !== 200) this.failures.push(`${path} for ${JSON.stringify(purpose)}: ${response.statusCode} at ${new Date().toISOString()}`);
      return String(response.headers["x-millwright-colour"] ?? "none");
    } catch (error) {
      this.failures.push(`${path} for ${JSON.stringify(purpose)}: ${String(error)}`);
      return "none";
    }
  }

  async #websocket(agent: string): Promise<void> {
    await handshakes.turn(() => this.#shakeHands(agent));
  }

  async #shakeHands(agent: string): Promise<void> {
    const request = https.get({
      ...this.#options("/websocket?version=19.0-2", agent),
      headers: {
        ...this.#headers(agent),
        origin: `https://${this.#door.domain}`,
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": Buffer.from("0123456789abcdef").toString("base64"),
      },
    });
    await new Promise<void>((resolve) => {
      const fail = (reason: unknown): void => {
        this.failures.push(`websocket: ${String(reason)}`);
        request.destroy();
        resolve();
      };
      request.on("upgrade", (_response, socket) => {
        socket.on("error", () => {});
        socket.destroy();
        resolve();
      });
      request.on("response", (response) => fail(response.statusCode));
      request.on("error", fail);
    });
  }

  #options(path: string, agent: string): https.RequestOptions {
    const { address, domain } = this.#door;
    return { host: address, port: 443, servername: domain, path, agent: false, rejectUnauthorized: false, timeout: 10_000, headers: this.#headers(agent) };
  }

  #headers(agent: string): Record<string, string> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    return { host: this.#door.domain, "user-agent": agent, ...this.#always, ...(cookie === "" ? {} : { cookie }) };
  }

  #keep(cookie: string): void {
    const [pair = ""] = cookie.split(";");
    const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
    this.#cookies.set(name, value);
  }
}

/** Lets so many do something at a time. */
class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  async turn(work: () => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

const handshakes = new Turns(HANDSHAKES_AT_ONCE);

/** People who each go from page to page, until they are told to stop. */
class Crowd {
  readonly browsers: readonly Browser[];
  readonly #stopping = new AbortController();
  readonly #working: Promise<unknown>;

  constructor(name: string, door: FrontDoor) {
    this.browsers = Array.from({ length: BROWSERS }, (_, index) => new Browser(`${name}-${index}`, door, index % 2 === 1));
    this.#working = Promise.all(this.browsers.map((browser) => this.#work(browser)));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  get failures(): readonly string[] {
    return this.browsers.flatMap((browser) => browser.failures.map((failure) => `${browser.name}: ${failure}`));
  }

  get views(): readonly PageView[] {
    return this.browsers.flatMap(({ views }) => views);
  }

  async #work(browser: Browser): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await browser.open();
      await wait(PAUSE_MILLISECONDS);
    }
  }
}

/** Colours that the websockets of a crowd's pages reached, by the page's id, as the proxy has logged them. */
async function websocketColours(plant: Plant, crowd: string): Promise<ReadonlyMap<string, string>> {
  const edge = "$(docker ps --quiet --filter label=com.docker.compose.service=edge)";
  const lines = await plant.sh("sh", "-c", `docker logs ${edge} 2>/dev/null | grep '"request_User-Agent":"${crowd}-[0-9]*/[0-9]*"'`);
  const seen = lines.split("\n").map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  return new Map(seen.map((line) => [String(line["request_User-Agent"]), /^odoo-ws-(blue|green)@file$/.exec(String(line["ServiceName"]))?.[1] ?? "none"]));
}

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

/** Pages that were put together from more than one release. */
async function mixed(plant: Plant, crowd: string, views: readonly PageView[]): Promise<readonly string[]> {
  // One is logged when both its ends have closed.
  const sockets = await eventually(
    async () => {
      const logged = await websocketColours(plant, crowd);
      return views.every(({ id }) => logged.has(id)) ? logged : undefined;
    },
    { what: "every page's websocket in the proxy's log" },
  );
  return views.flatMap(({ id, colour, parts }) => {
    const all = new Set([colour, ...parts, sockets.get(id) ?? "no websocket"]);
    return all.size === 1 ? [] : [`${id}: ${[...all].join(" and ")}`];
  });
}

/** When a step of a run came to that, in milliseconds since the epoch. */
async function timeOf(plant: Plant, run: string, step: string, state: string): Promise<number> {
  const event = (await plant.events(run)).find((candidate) => candidate.id === step && candidate.state === state);
  return Date.parse(event?.at ?? "");
}

describe("a canary and a preview, with browsers that keep their cookies", () => {
  let plant: Plant;
  let [first, good] = ["", ""];
  const step = story(() => plant);

  beforeAll(async () => {
    plant = await createPlant({ host: "canary", template: "loaded", site: { "swap.canary.percent": [20, 60], "swap.canary.stage": "8s" } });
    await plant.bootstrap();
    first = await plant.serveFirst();
    good = await plant.release(FIXTURES.good);
  });
  afterAll(async () => {
    await plant?.[Symbol.asyncDispose]();
  });

  step("moves its share of browsers stage by stage, none back, and nobody's page is of two releases; no request fails", async () => {
    await using load = await plant.load({ rate: 10 });
    const crowd = new Crowd("good", plant.door);
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
    expect(await mixed(plant, "good", apart)).toEqual([]);

    const ways = crowd.browsers.map(({ views }) => views.map(({ colour }) => colour).join(" "));
    for (const way of ways) expect(way).toMatch(/^(blue ?)*(green ?)*$/);
    const early = crowd.browsers.map(({ views }) => views.some((view) => view.ended < from && view.colour === "green"));
    // Of twenty-four, sixty of a hundred: chance may give more or fewer, but neither none nor all (1 in 200 000).
    expect([early.includes(true), early.includes(false)]).toEqual([true, true]);
    // Those with a worker as well (1 in 60 000).
    expect(early.some((isEarly, index) => isEarly && index % 2 === 1)).toBe(true);
    expect(await plant.serving()).toEqual({ number: 2, colour: "green" });
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
    const crowd = new Crowd("abort", plant.door);
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
    const crowd = new Crowd("unshown", plant.door);
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
    expect(await mixed(plant, "shown", views.flat())).toEqual([]);
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
    const crowd = new Crowd("resumed", plant.door);
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
