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
import type { Psql } from "../../src/swap/psql.ts";
import { readServing } from "../../src/swap/serving.ts";
import type { SwapDeps } from "../../src/swap/swap-deps.ts";
import { swapTable } from "../../src/swap/swap-steps.ts";
import { trafficOf, trafficPath, writeTraffic } from "../../src/swap/write-traffic.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { FakeDocker } from "../fakes/fake-docker.ts";
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
  /** The edge ignores the routing file until it gets a SIGHUP. */
  isDeaf = false;
  inFlight = 0;
  database: { exists: boolean; filled: boolean; marker: string } = { exists: true, filled: true, marker: "" };
  initLines: readonly string[] = [];
  /** Called at every point where a process could die. */
  atPoint: (what: string) => void = () => {};
  readonly paths: HostPaths;
  readonly stack: Stack;
  #routing = "";
  readonly #proxied = new Map<string, number>();

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
      connections: { established: async () => this.inFlight, dialling: async () => 0 },
      clock: this.clock,
      events: { emit: (event) => this.events.push(event) },
      materialiseColour: async (_stack, colour, made) => await this.#materialise(colour, made),
      provisionDatabase: async () => {
        this.atPoint("provision");
        this.database.exists = true;
      },
      secret: async (name) => (["odoo_admin", "odoo_probe"].includes(name) ? new Secret(`${name}-is-long`) : undefined),
      hangUp: (pid) => {
        this.hungUp.push(pid);
        this.isDeaf = false;
      },
      who: "operator",
    };
  }

  /** Carries a plan out, or goes on with it, as the host's unit does. */
  async run(plan: Plan, options: { readonly signal?: AbortSignal; readonly run?: string } = {}): Promise<RunOutcome> {
    const run = options.run ?? "run-1";
    const { table, context } = swapTable(this.deps, plan, run);
    const signal = options.signal ?? new AbortController().signal;
    return await runPlan({ plan, table, context, journal: this.#journal(run), events: this.deps.events, clock: this.clock, signal });
  }

  /** The colour that users reach. */
  async routed(): Promise<Colour | undefined> {
    const text = await readFile(trafficPath(this.paths), "utf8");
    return (/"X-Millwright-Colour": "(blue|green)"/.exec(text)?.[1] ?? undefined) as Colour | undefined;
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
    const service = { image: made.image, networks: ["app"] };
    const compose = { services: { web: service, cron: service }, networks: { app: { name: `${STACK}_app` } } };
    await mkdir(this.paths.colour(colour), { recursive: true });
    await writeFile(join(this.paths.colour(colour), "compose.yaml"), JSON.stringify(compose));
  }

  readonly #psql: Psql = {
    query: async (_database, sql) => {
      if (sql.startsWith("SELECT coalesce")) return [["19.0.1.3", "0"]];
      if (sql.startsWith("SELECT to_regclass")) return [[this.database.filled ? "t" : "f"]];
      if (sql.startsWith("SELECT shobj_description")) return this.database.marker === "" ? [] : [[this.database.marker]];
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
    if (request.port === 8082) return answer(200, await this.#metrics());
    const container = (await this.docker.allContainers()).find((candidate) => Object.values(candidate.addresses).includes(request.address));
    if (container?.state !== "running") throw new Error("connection refused");
    return this.#page(request, container.image);
  }

  async #throughFront(request: HttpRequest): Promise<Answer> {
    this.atPoint(`front ${request.path}`);
    if (!this.isDeaf) this.#routing = await readFile(trafficPath(this.paths), "utf8");
    const colour = /"X-Millwright-Colour": "(\w+)"/.exec(this.#routing)?.[1];
    const switchId = /"X-Millwright-Switch": "([^"]+)"/.exec(this.#routing)?.[1];
    if (colour === undefined || switchId === undefined) return answer(503, "no available server");
    const headers = { "x-millwright-colour": colour, "x-millwright-switch": switchId };
    const web = (await this.docker.containers(`${STACK}-${colour}`)).find((container) => container.service === "web");
    if (web?.state !== "running") return { ...answer(503, ""), headers };
    this.#proxied.set(web.image, (this.#proxied.get(web.image) ?? 0) + 1);
    const page = this.#page(request, web.image);
    return { ...page, headers: { ...page.headers, ...headers } };
  }

  #page(request: HttpRequest, image: string): Answer {
    const manner = this.manners.get(image) ?? {};
    const isBroken = manner.breaksAfter !== undefined && (this.#proxied.get(image) ?? 0) > manner.breaksAfter;
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
        return [line("200", isRouted ? 100 : 0), line("500", errors)].join("\n");
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
  swap: { readySeconds: 60, drainSeconds: 5, cronSeconds: 60, bakeSeconds: 10, probeSeconds: 2, failedRounds: 2, errorRatio: 0.02, minimumRequests: 20 },
  waived: [],
};
