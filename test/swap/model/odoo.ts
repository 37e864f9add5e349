import type { Answer, HttpRequest } from "../../../src/swap/http.ts";
import { trafficPath } from "../../../src/swap/write-traffic.ts";
import type { HostPaths } from "../../../src/blueprint/host-paths.ts";
import { drawn, ledTo, redirected } from "../../fakes/led-to.ts";
import type { MachineClock } from "./clock.ts";
import type { Disk } from "./disk.ts";
import type { Behaviour, Container, Engine } from "./engine.ts";

const DATABASE_START_MILLISECONDS = 300;
const WEB_START_MILLISECONDS = 700;
const WEBSOCKET_START_MILLISECONDS = 1200;
/** From the start of the program to its first connection, and from there to a filled database. */
const FILL_STARTS_MILLISECONDS = 1500;
const FILL_MILLISECONDS = 2000;

/** More than may be cut together. */
const WEBSOCKETS = 50;

const LOGIN_PAGE = `<form><input name="login"><input name="csrf_token"></form><link href="/web/assets/1/a.css"><script src="/web/assets/1/a.js"></script>`;

/** How a release behaves. */
export interface Manner {
  readonly login?: number;
  readonly websocket?: number;
  /** Its pages turn bad after it has had so many requests through the front door. */
  readonly breaksAfter?: number;
  /** Its web container ends as soon as it is started. */
  readonly ends?: boolean;
  /** The same of its scheduled jobs. */
  readonly cronEnds?: boolean;
}

export interface DatabaseState {
  exists: boolean;
  /** Rises when the database is made anew: who was connected to the one before is not any more. */
  generation: number;
  filled: boolean;
  /** Its administrator no longer has the password that everybody knows. */
  isSetUp: boolean;
  marker: string;
}

/** What runs in the containers: Odoo by the manner of its release, PostgreSQL with one database, and Traefik, which obeys the routing file. */
export class Odoo implements Behaviour {
  readonly manners = new Map<string, Manner>();
  database: DatabaseState = { exists: false, generation: 0, filled: false, isSetUp: false, marker: "" };
  /** Milliseconds that scheduled jobs take to end when they are asked to. */
  jobMilliseconds = 0;
  /** Requests that run on the colour that serves and never end. */
  inFlight = 0;
  /** Traefik misses what happens to the routing file until somebody tells it to look. */
  isDeaf = false;
  /** Called before the database is dropped. */
  onDrop: () => void = () => {};
  #routing = "";
  #counts = { blue: [0, 0], green: [0, 0] };
  readonly #requests = new Map<string, number>();
  /** By the container's id, where some were closed. */
  readonly #websockets = new Map<string, number>();
  readonly #stack: string;
  readonly #paths: HostPaths;
  readonly #clock: MachineClock;
  readonly #disk: Disk;
  readonly #engine: () => Engine;

  constructor(stack: string, paths: HostPaths, clock: MachineClock, disk: Disk, engine: () => Engine) {
    this.#stack = stack;
    this.#paths = paths;
    this.#clock = clock;
    this.#disk = disk;
    this.#engine = engine;
  }

  copyFrom(other: Odoo): void {
    this.database = { ...other.database };
    this.#routing = other.#routing;
    for (const [image, manner] of other.manners) this.manners.set(image, manner);
  }

  endsAtOnce({ service, image }: Container): number | undefined {
    const { ends, cronEnds } = this.manners.get(image) ?? {};
    return (service === "web" && ends === true) || (service === "cron" && cronEnds === true) ? 1 : undefined;
  }

  endsAfter({ service }: Container): number {
    return service === "cron" ? this.jobMilliseconds : 100;
  }

  exec(_container: Container, words: readonly string[], input: string): { readonly code: number; readonly output: string } {
    if (words[0] === "psql") return this.#psql(words[words.findIndex((word) => word === "-d" || word === "--dbname") + 1] ?? "", input);
    // The archive's own ways to fail are tried on the lab.
    if (words[0] === "pgbackrest") return { code: this.#isDatabaseUp() ? 0 : 56, output: "" };
    if (!words.includes("shell")) throw new Error(`the model has no program ${words.join(" ")}`);
    if (!this.#isDatabaseUp()) return { code: 1, output: "psycopg2.OperationalError" };
    this.database.isSetUp = true;
    return { code: 0, output: /print\("(.*)"\)/.exec(input)?.[1] ?? "" };
  }

  /** `odoo --init … --stop-after-init`: it works on the database that it finds when it has come up. */
  async work(container: Container, _words: readonly string[], onLine: (line: string) => void): Promise<number> {
    await this.#pause(FILL_STARTS_MILLISECONDS);
    if (container.state !== "running") return 1;
    const { generation } = this.database;
    const postgres = this.#databaseStart();
    if (!this.#isDatabaseUp() || !this.database.exists) return 1;
    onLine("2026-11-24 02:00:00,000 1 INFO odoo odoo.modules.loading: loading 1 modules...");
    await this.#pause(FILL_MILLISECONDS);
    if (container.state !== "running" || this.database.generation !== generation || this.#databaseStart() !== postgres) return 1;
    this.database.filled = true;
    this.database.isSetUp = false;
    return 0;
  }

  /** Twenty a second. */
  async cutConnections(container: Container, onLine: (line: string) => void, signal?: AbortSignal): Promise<number> {
    for (let cut = 20; this.#websocketsOf(container) > 0; cut += 20) {
      signal?.throwIfAborted();
      if (container.state !== "running") return 1;
      this.#websockets.set(container.id, Math.max(0, this.#websocketsOf(container) - 20));
      onLine(`cut ${cut}`);
      await this.#pause(1000);
    }
    return 0;
  }

  ask(request: HttpRequest): Answer {
    if (request.address === "127.0.0.1") return this.#throughFront(request, this.#engine().service(this.#stack, "edge"));
    if (request.port === 8082) return answer(200, this.#metrics());
    const states = this.#engine().containers.filter((container) => container.state === "running");
    const container = states.find((candidate) => this.#addressesOf(candidate).includes(request.address));
    if (container === undefined) throw new Error("connect ECONNREFUSED");
    return container.service === "edge" ? this.#throughFront(request, container) : this.#page(request, container);
  }

  /** Traefik reads its folder again. */
  readRoutes(): void {
    this.isDeaf = false;
    this.#routing = this.#disk.text(trafficPath(this.#paths)) ?? "";
  }

  /** Requests under way on a container. */
  requestsOn(pid: number): number {
    const colour = this.routed();
    const web = colour === undefined ? undefined : this.#engine().service(`${this.#stack}-${colour}`, "web");
    return web !== undefined && pid === 1000 + Number(web.id.slice(1)) ? this.inFlight : 0;
  }

  /** Websockets that stand to a container; they stay until somebody closes them. */
  websocketsOn(pid: number): number {
    const web = this.#engine().containers.find(({ id }) => pid === 1000 + Number(id.slice(1)));
    return web === undefined ? 0 : this.#websocketsOf(web);
  }

  #websocketsOf({ id }: Container): number {
    return this.#websockets.get(id) ?? WEBSOCKETS;
  }

  /** The colour that Traefik sends users to. */
  routed(): "blue" | "green" | undefined {
    if (!this.isDeaf) this.readRoutes();
    return ledTo(this.#routing)?.colour;
  }

  coloursInRoutes(): readonly string[] {
    this.readRoutes();
    return [...new Set([...this.#routing.matchAll(/http:\/\/odoo-(blue|green):/g)].map((match) => match[1] ?? ""))].sort();
  }

  #psql(database: string, input: string): { readonly code: number; readonly output: string } {
    if (!this.#isDatabaseUp()) return { code: 2, output: "psql: error: connection to server failed" };
    const state = this.database;
    if (database !== "postgres" && !state.exists) return { code: 2, output: `psql: error: FATAL: database "${database}" does not exist` };
    const rows = (...lines: readonly string[]): { readonly code: number; readonly output: string } => ({ code: 0, output: lines.join("\n") });
    if (input.includes("SELECT coalesce")) return rows(state.filled ? "19.0.1.3\t0" : "\t0");
    if (input.includes("SELECT to_regclass")) return rows(state.filled ? "t" : "f");
    if (input.includes("SELECT shobj_description")) return rows(state.marker);
    if (input.includes("SELECT current_setting('archive_command')")) return rows("f");
    if (input.includes("SELECT cron_name")) return rows("Mail: send");
    if (input.includes("FROM ir_cron")) return rows("1\t1\t1");
    if (input.includes("SELECT name, state")) return rows("base\tinstalled", "mrp\tinstalled");
    if (input.includes("COMMENT ON")) {
      if (!state.exists) return { code: 3, output: "ERROR: database does not exist" };
      state.marker = /IS '(.*)'/.exec(input)?.[1] ?? "";
    } else if (input.includes("DROP DATABASE")) {
      this.onDrop();
      this.database = { exists: false, generation: state.generation + 1, filled: false, isSetUp: false, marker: "" };
    } else if (input.includes("CREATE DATABASE")) {
      if (!state.exists) this.database = { ...state, exists: true, generation: state.generation + 1 };
    } else if (!input.includes("CREATE EXTENSION")) throw new Error(`the model has no answer to ${input}`);
    return rows();
  }

  #throughFront(request: HttpRequest, edge: Container | undefined): Answer {
    if (edge?.state !== "running") throw new Error("connect ECONNREFUSED");
    if (!this.isDeaf) this.readRoutes();
    const redirect = redirected(this.#routing, request.path);
    if (redirect !== undefined) return { ...answer(302, "Found"), headers: redirect };
    const led = ledTo(this.#routing, request.headers);
    if (led === undefined) return answer(503, "no available server");
    const { colour, switchId } = led;
    const headers = { "x-millwright-colour": colour, "x-millwright-switch": switchId, ...drawn(this.#routing, request.headers) };
    const web = this.#engine().service(`${this.#stack}-${colour}`, "web");
    let page = answer(502, "");
    if (web?.state === "running") {
      this.#requests.set(web.image, (this.#requests.get(web.image) ?? 0) + 1);
      try {
        page = this.#page(request, web);
      } catch {
        // Not listening yet.
      }
    }
    const counts = this.#counts[colour];
    if (led.isCounted) counts[page.status < 500 ? 0 : 1] = (counts[page.status < 500 ? 0 : 1] ?? 0) + 1;
    return { ...page, headers: { ...page.headers, ...headers } };
  }

  #page(request: HttpRequest, container: Container): Answer {
    const manner = this.manners.get(container.image) ?? {};
    const age = this.#clock.elapsed - container.startedElapsed;
    if (age < (request.port === 8072 ? WEBSOCKET_START_MILLISECONDS : WEB_START_MILLISECONDS)) throw new Error("connect ECONNREFUSED");
    const isBroken = manner.breaksAfter !== undefined && (this.#requests.get(container.image) ?? 0) > manner.breaksAfter;
    if (request.path === "/web/login") {
      const isGood = this.#isDatabaseUp() && this.database.filled && !isBroken;
      return answer(isGood ? (manner.login ?? 200) : 500, LOGIN_PAGE);
    }
    if (request.path.endsWith(".css")) return answer(200, "css", "text/css");
    if (request.path.endsWith(".js")) return answer(200, "js", "text/javascript");
    if (request.path.endsWith("version_info")) return answer(200, `{"result": {"server_serie": "19.0"}}`);
    return answer(request.port === 8072 ? (manner.websocket ?? 200) : 200, "");
  }

  #metrics(): string {
    const line = (colour: string, code: string, count: number): string =>
      `traefik_service_requests_total{code="${code}",method="GET",protocol="http",service="odoo-${colour}@file"} ${count}`;
    return Object.entries(this.#counts)
      .flatMap(([colour, [good = 0, bad = 0]]) => [line(colour, "200", good), line(colour, "500", bad)])
      .join("\n");
  }

  #addressesOf(container: Container): readonly string[] {
    const number = Number(container.id.slice(1));
    return container.networks.map((_, index) => `10.${index}.${Math.floor(number / 250)}.${(number % 250) + 1}`);
  }

  #isDatabaseUp(): boolean {
    const started = this.#databaseStart();
    return started !== undefined && this.#clock.elapsed - started >= DATABASE_START_MILLISECONDS;
  }

  #databaseStart(): number | undefined {
    const container = this.#engine().service(this.#stack, "database");
    return container?.state === "running" ? container.startedElapsed : undefined;
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(milliseconds, resolve));
  }
}

function answer(status: number, body: string, type = "text/html"): Answer {
  return { status, body, headers: { "content-type": type }, milliseconds: 5 };
}
