import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import https from "node:https";
import { setTimeout as wait } from "node:timers/promises";
import { eventually } from "./eventually.ts";
import type { FrontDoor } from "./front-door.ts";
import type { Plant } from "./plant.ts";

const PAUSE_MILLISECONDS = 3000;
/** Odoo's websocket process has as many database connections as the site has users, ten: it answers 500 to handshakes beyond them. */
const HANDSHAKES_AT_ONCE = 6;

/** A page with what it asks for: all of it should be of one release. */
export interface PageView {
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
export class Browser {
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
export class Crowd {
  readonly name: string;
  readonly browsers: readonly Browser[];
  readonly #stopping = new AbortController();
  readonly #working: Promise<unknown>;

  constructor(name: string, door: FrontDoor, size: number) {
    this.name = name;
    this.browsers = Array.from({ length: size }, (_, index) => new Browser(`${name}-${index}`, door, index % 2 === 1));
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

/**
 * Colours that the websockets of a crowd's pages reached, by the page's id, as the proxy has logged them. Out of the engine's own file: `docker logs` gives
 * up a log for good at the first entry that it finds torn ("unexpected number of bytes read from log message header").
 */
async function websocketColours(plant: Plant, crowd: string): Promise<ReadonlyMap<string, string>> {
  const folder = "/var/lib/docker/containers/$(docker ps --quiet --no-trunc --filter label=com.docker.compose.service=edge)/local-logs";
  const find = `zcat --force ${folder}/container.log* | grep --text --only-matching '{"ClientAddr[^}]*}' | grep '"request_User-Agent":"${crowd}-[0-9]*/[0-9]*"' || true`;
  const seen = (await plant.sh("sh", "-c", find)).split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Readonly<Record<string, unknown>>]));
  return new Map(seen.map((line) => [String(line["request_User-Agent"]), /^odoo-ws-(blue|green)@file$/.exec(String(line["ServiceName"]))?.[1] ?? "none"]));
}

/** Pages that were put together from more than one release. */
export async function mixedPages(plant: Plant, crowd: string, views: readonly PageView[]): Promise<readonly string[]> {
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
