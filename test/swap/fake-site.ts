import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostPaths, type HostPaths } from "../../src/blueprint/host-paths.ts";
import type { Colour, Stack, StackFacts } from "../../src/blueprint/stack.ts";
import type { MillwrightEvent } from "../../src/kernel/events.ts";
import type { Journal, JournalEntry } from "../../src/kernel/journal.ts";
import type { Plan } from "../../src/kernel/plan.ts";
import { type RunOutcome, runPlan } from "../../src/kernel/run-plan.ts";
import { Secret } from "../../src/kernel/secret.ts";
import type { Release } from "../../src/release/release-file.ts";
import type { Answer, HttpRequest, Http } from "../../src/swap/http.ts";
import { WEBSOCKET_PORT } from "../../src/swap/probes/probe.ts";
import type { Psql } from "../../src/swap/psql.ts";
import { prepareSwap } from "../../src/swap/prepare-swap.ts";
import { readServing } from "../../src/swap/serving.ts";
import type { SwapDeps } from "../../src/swap/swap-deps.ts";
import { swapTable } from "../../src/swap/swap-steps.ts";
import { trafficOf, trafficPath, writeTraffic } from "../../src/swap/write-traffic.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { FakeDocker } from "../fakes/fake-docker.ts";
import { drawn, ledTo, redirected } from "../fakes/led-to.ts";
import { DEFAULT_POLICY } from "../fakes/swap-policy.ts";
import { release } from "../release/fixtures.ts";

export const STACK = "acme-production";
export const ROUTES = JSON.stringify({
  http: {
    routers: {
      odoo: { rule: "Host(`erp.example.com`)", service: "odoo", middlewares: ["hold"] },
      "odoo-ws": { rule: "Host(`erp.example.com`) && PathPrefix(`/websocket`)", service: "odoo-ws" },
      blocked: { rule: "PathPrefix(`/web/database`)", service: "noop@internal" },
    },
    services: { odoo: { loadBalancer: { servers: [] } }, "odoo-ws": { loadBalancer: { servers: [] } }, nobody: { loadBalancer: { servers: [] } } },
    middlewares: { hold: { retry: { attempts: 4, initialInterval: "100ms" } } },
  },
});
const LOGIN = `<form><input name="login"><input name="csrf_token"></form><link href="/web/assets/1/a.css"><script src="/web/assets/1/a.js"></script>`;

export const imageOf = (name: string): string => `sha256:${Buffer.from(name).toString("hex").padEnd(64, "0")}`;
export const releaseNamed = (id: string, more: Partial<Release> = {}): Release => release({ id, image: imageOf(id), layers: [imageOf(id)], ...more });

/** How a release behaves, by its image. */
export interface Manner {
  readonly login?: number;
  readonly websocket?: number;
  /** Its pages turn bad after it has got this many requests through the front door. */
  readonly breaksAfter?: number;
  readonly errorsInMetrics?: number;
  /** Status of single pages, by path. */
  readonly pages?: Readonly<Record<string, number>>;
}

/** Thrown where a run is cut: the process is gone, nothing after it happens. */
export class Cut extends Error {}

/** A host with a platform, in a temporary folder: the real files, a fake engine, and an edge that obeys the routing file. */
export class FakeSite {
  readonly clock = new FakeClock();
  readonly docker = new FakeDocker(this.clock);
  readonly events: MillwrightEvent[] = [];
  readonly journalEntries: JournalEntry[] = [];
  readonly manners = new Map<string, Manner>();
  readonly asked: HttpRequest[] = [];
  readonly hungUp: number[] = [];
  /** On the fullest of its disks. */
  freeBytes = 50 * 1024 ** 3;
  /** The edge ignores the routing file until it gets a SIGHUP. */
  isDeaf = false;
  /** Requests of people that a colour has had since it serves, by the proxy's counts. */
  people = 100;
  inFlight = 0;
  /** Websockets that stand to each colour. */
  websockets = 0;
  /** What the containers of a colour would be labelled with now. */
  settings = "first settings";
  database: { exists: boolean; filled: boolean; marker: string } = { exists: true, filled: true, marker: "" };
  initLines: readonly string[] = [];
  /** What the edge gives a browser that opens a page. */
  draw = drawn;
  /** What the edge answers itself to who opens a preview's link. */
  link = redirected;
  /** The edge's metrics cannot be read. */
  isBlind = false;
  onEvent: (event: MillwrightEvent) => void = () => {};
  /** Called at every point where a process could die. */
  atPoint: (what: string) => void = () => {};
  readonly paths: HostPaths;
  readonly stack: Stack;
  #routing = "";
  readonly #proxied = new Map<string, number>();
  readonly #counted = { blue: { good: 0, bad: 0 }, green: { good: 0, bad: 0 } };

  private constructor(root: string, facts: Partial<StackFacts>) {
    this.paths = hostPaths(STACK, root);
    this.stack = {
      version: 1,
      id: "0123456789abcdef",
      facts: { ...FACTS, ...facts },
      files: [{ path: "edge/routes.json", content: ROUTES, executable: false, secret: false, uid: 0 }],
    };
    this.docker.beforeCall = (call) => this.atPoint(call);
    this.docker.onRun = (_service, _words, onLine) => {
      for (const line of this.initLines) onLine(line);
      this.database.filled = true;
      return 0;
    };
    this.docker.onExec = ({ input }) => ({ code: 0, output: /print\("(.*)"\)/.exec(input)?.[1] ?? "" });
  }

  static async make(facts: Partial<StackFacts> = {}): Promise<FakeSite> {
    const site = new FakeSite(await mkdtemp(join(tmpdir(), "millwright-")), facts);
    site.docker.addContainer({ project: STACK, service: "edge", networks: [`${STACK}_app`, `${STACK}_metrics`] });
    site.docker.addContainer({ project: STACK, service: "database", networks: [`${STACK}_data`] });
    await mkdir(site.paths.trafficDynamic, { recursive: true });
    await writeTraffic(site.paths, trafficOf(site.stack, undefined));
    return site;
  }

  addRelease(next: Release, manner: Manner = {}): Release {
    this.docker.addImage(next.image);
    this.manners.set(next.image, manner);
    return next;
  }

  get deps(): SwapDeps {
    return {
      stack: this.stack,
      paths: this.paths,
      docker: this.docker,
      compose: this.docker,
      psql: this.#psql,
      http: this.#http,
      connections: { established: async (_pid, port) => (port === WEBSOCKET_PORT ? this.websockets : this.inFlight), dialling: async () => 0 },
      clock: this.clock,
      events: {
        emit: (event) => {
          this.events.push(event);
          this.onEvent(event);
        },
      },
      materialiseColour: async (_stack, colour, made) => await this.#materialise(colour, made),
      colourConfig: async () => ({ web: this.settings, cron: this.settings }),
      provisionDatabase: async () => {
        this.atPoint("provision");
        this.database.exists = true;
      },
      secret: async (name) => (["odoo_admin", "odoo_probe"].includes(name) ? new Secret(`${name}-is-long`) : undefined),
      hangUp: (pid) => {
        this.hungUp.push(pid);
        this.isDeaf = false;
      },
      freeBytes: async () => this.freeBytes,
      who: "operator",
      random: randomBytes,
    };
  }

  /** Carries a plan out, or goes on with it, as the host's unit does. */
  async run(plan: Plan, options: { readonly signal?: AbortSignal; readonly run?: string } = {}): Promise<RunOutcome> {
    const run = options.run ?? "run-1";
    const { table, context } = swapTable(this.deps, plan, run);
    const signal = options.signal ?? new AbortController().signal;
    return await runPlan({ plan, table, context, journal: this.#journal(run), events: this.deps.events, clock: this.clock, signal });
  }

  /** The routing file as it is. */
  async routing(): Promise<string> {
    return await readFile(trafficPath(this.paths), "utf8");
  }

  /** The colour that users reach. */
  async routed(): Promise<Colour | undefined> {
    const text = await this.routing();
    return ledTo(text)?.colour;
  }

  async running(service: "web" | "cron"): Promise<readonly Colour[]> {
    const all = await this.docker.allContainers();
    return all
      .filter((container) => container.service === service && container.state === "running")
      .map((container) => container.project.slice(STACK.length + 1) as Colour)
      .sort();
  }

  /** Everything that must fit together when nothing is under way. */
  async whole(): Promise<{ readonly routed: string; readonly serving: string; readonly cron: readonly string[]; readonly isServed: boolean }> {
    const serving = await readServing(this.paths);
    const routed = await this.routed();
    const web = await this.running("web");
    return {
      routed: routed ?? "none",
      serving: serving?.colour ?? "none",
      cron: await this.running("cron"),
      isServed: routed === undefined || web.includes(routed),
    };
  }

  #journal(run: string): Journal {
    return {
      append: async (entry) => {
        this.atPoint(`before ${entry.kind} ${entry.step}`);
        this.journalEntries.push({ seq: this.journalEntries.length, at: "", run, who: "", previous: "", hash: "", ...entry });
        this.atPoint(`after ${entry.kind} ${entry.step}`);
      },
      entries: async () => this.journalEntries.filter((entry) => entry.run === run),
    };
  }

  async #materialise(colour: Colour, made: Release): Promise<void> {
    this.atPoint(`materialise ${colour}`);
    const service = { image: made.image, networks: ["app"], labels: { "millwright.config": this.settings } };
    const compose = { services: { web: service, cron: service }, networks: { app: { name: `${STACK}_app` } } };
    await mkdir(this.paths.colour(colour), { recursive: true });
    await writeFile(join(this.paths.colour(colour), "compose.yaml"), JSON.stringify(compose));
  }

  readonly #psql: Psql = {
    query: async (_database, sql) => {
      if (sql.startsWith("SELECT coalesce")) return [["19.0.1.3", "0"]];
      if (sql.startsWith("SELECT to_regclass")) return [[this.database.filled ? "t" : "f"]];
      if (sql.startsWith("SELECT shobj_description")) return this.database.marker === "" ? [] : [[this.database.marker]];
      if (sql.startsWith("SELECT cron_name")) return [["Mail: send"]];
      if (sql.startsWith("SELECT name, state")) return ["base", ...this.stack.facts.modules].map((name) => [name, "installed"]);
      this.atPoint(sql.slice(0, 20));
      if (sql.startsWith("COMMENT")) this.database.marker = /IS '(.*)'/.exec(sql)?.[1] ?? "";
      if (sql.startsWith("DROP DATABASE")) this.database = { exists: false, filled: false, marker: "" };
      return [];
    },
  };

  readonly #http: Http = {
    ask: async (request) => await this.#answer(request),
    together: async (request, count) => await Promise.all(Array.from({ length: count }, () => this.#answer(request).catch((error: Error) => error))),
    upgrade: async (request) => ((await this.#answer(request)).status === 200 ? 101 : 500),
  };

  async #answer(request: HttpRequest): Promise<Answer> {
    this.asked.push(request);
    if (request.port === 443) return await this.#throughFront(request);
    if (request.port === 8082) return this.isBlind ? answer(503, "") : answer(200, await this.#metrics());
    const container = (await this.docker.allContainers()).find((candidate) => Object.values(candidate.addresses).includes(request.address));
    if (container?.state !== "running") throw new Error("connection refused");
    return this.#page(request, container.image);
  }

  async #throughFront(request: HttpRequest): Promise<Answer> {
    this.atPoint(`front ${request.path}`);
    if (!this.isDeaf) this.#routing = await readFile(trafficPath(this.paths), "utf8");
    const redirect = this.link(this.#routing, request.path);
    if (redirect !== undefined) return { ...answer(302, "Found"), headers: redirect };
    const led = ledTo(this.#routing, request.headers);
    if (led === undefined) return answer(503, "no available server");
    const { colour, switchId } = led;
    const headers = { "x-millwright-colour": colour, "x-millwright-switch": switchId, ...this.draw(this.#routing, request.headers) };
    const web = (await this.docker.containers(`${STACK}-${colour}`)).find((container) => container.service === "web");
    if (web?.state !== "running") return { ...answer(503, ""), headers };
    this.#proxied.set(web.image, (this.#proxied.get(web.image) ?? 0) + 1);
    const page = this.#page(request, web.image);
    if (led.isCounted) this.#counted[colour][page.status < 500 ? "good" : "bad"] += 1;
    return { ...page, headers: { ...page.headers, ...headers } };
  }

  #page(request: HttpRequest, image: string): Answer {
    const manner = this.manners.get(image) ?? {};
    const isBroken = manner.breaksAfter !== undefined && (this.#proxied.get(image) ?? 0) > manner.breaksAfter;
    const status = manner.pages?.[request.path];
    if (status !== undefined) return answer(status, "");
    if (request.path === "/web/login") return answer(isBroken ? 500 : (manner.login ?? 200), LOGIN);
    if (request.path.endsWith(".css")) return answer(200, "css", "text/css");
    if (request.path.endsWith(".js")) return answer(200, "js", "text/javascript");
    if (request.path.endsWith("version_info")) return answer(200, `{"result": {"server_serie": "19.0"}}`);
    if (request.port === 8072) return answer(manner.websocket ?? 200, "");
    return answer(200, "{}");
  }

  async #metrics(): Promise<string> {
    const lines = await Promise.all(
      (["blue", "green"] as const).map(async (colour) => {
        const web = (await this.docker.containers(`${STACK}-${colour}`)).find((container) => container.service === "web");
        const isRouted = (await this.routed()) === colour;
        const errors = isRouted ? (this.manners.get(web?.image ?? "")?.errorsInMetrics ?? 0) : 0;
        const line = (code: string, count: number): string =>
          `traefik_service_requests_total{code="${code}",method="GET",protocol="http",service="odoo-${colour}@file"} ${count}`;
        const { good, bad } = this.#counted[colour];
        return [line("200", (isRouted ? this.people : 0) + good), line("500", errors + bad)].join("\n");
      }),
    );
    return lines.join("\n");
  }
}

function answer(status: number, body: string, type = "text/html"): Answer {
  return { status, body, headers: { "content-type": type }, milliseconds: 5 };
}

const FACTS: StackFacts = {
  version: 1,
  backup: { at: "02:30", full: 0, drill: 0, keepDays: 14 },
  stack: STACK,
  site: "acme",
  environment: "production",
  blueprint: { name: "odoo", version: "0.1.0" },
  domain: "erp.example.com",
  listen: "0.0.0.0",
  series: "19.0",
  database: "acme",
  modules: ["mrp"],
  language: "de_DE",
  workers: 2,
  sessions: "files",
  releaseBase: "odoo:19",
  images: [],
  services: ["edge", "database"],
  directories: [],
  roles: [],
  secrets: [],
  smoke: [],
  swap: {
    ...DEFAULT_POLICY,
    readySeconds: 60,
    drainSeconds: 5,
    cronSeconds: 60,
    bakeSeconds: 10,
    rules: {
      ...DEFAULT_POLICY.rules,
      extendSeconds: 10,
      probes: { failAfter: 2, passAfter: 2, flaps: 4, window: 20 },
      traffic: { minimumRequests: 20, rate: 10, routes: [] },
      // Its answers take no time.
      latency: { ...DEFAULT_POLICY.rules.latency, action: "off", minimumRequests: 5 },
    },
  },
  waived: [],
};

export const ONE = releaseNamed("2026-11-24-1");
export const TWO = releaseNamed("2026-11-24-2", { addons: { scale: { version: "1.3", content: "c2", schema: "s1" } } });

/** A site on which ONE serves on blue, TWO is there to come next, and nothing is recorded yet. */
export async function served(next: Manner = {}, facts: Partial<StackFacts> = {}): Promise<FakeSite> {
  const site = await FakeSite.make(facts);
  site.addRelease(ONE);
  await site.run((await prepareSwap(site.deps, ONE)).plan, { run: "run-0" });
  site.addRelease(TWO, next);
  site.events.length = 0;
  site.asked.length = 0;
  return site;
}
