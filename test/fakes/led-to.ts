import { createHash } from "node:crypto";

interface Service {
  readonly weighted?: { readonly services: readonly { readonly name: string }[]; readonly sticky?: { readonly cookie?: { readonly name: string } } };
}

interface Middleware {
  readonly headers?: { readonly customResponseHeaders?: Readonly<Record<string, string>> };
}

interface Router {
  readonly rule: string;
  readonly observability?: { readonly metrics?: boolean };
}

interface File {
  readonly http: {
    readonly routers: Readonly<Record<string, Router>>;
    readonly services?: Readonly<Record<string, Service>>;
    readonly middlewares?: Readonly<Record<string, Middleware>>;
  };
}

type Headers = Readonly<Record<string, string>>;

/** Routers of the file that lead some away from the active colour, with the middleware that marks their answers. */
const ASIDE = { "odoo-pinned": "millwright-canary", "odoo-preview": "millwright-preview" } as const;

/** Where the routing file leads a page's request: by its cookie or header, as Traefik would, or to the active colour. */
export function ledTo(
  routing: string,
  headers: Headers = {},
): { readonly colour: "blue" | "green"; readonly switchId: string; readonly isCounted: boolean } | undefined {
  if (routing === "") return undefined;
  const { routers, middlewares = {} } = (JSON.parse(routing) as File).http;
  const aside = Object.entries(ASIDE).find(([name]) => isMet(routers[name]?.rule ?? "", headers));
  const marked = middlewares[aside?.[1] ?? "millwright-colour"]?.headers?.customResponseHeaders;
  const [colour, switchId] = [marked?.["X-Millwright-Colour"], marked?.["X-Millwright-Switch"]];
  if (colour === undefined || switchId === undefined) return undefined;
  return { colour: colour as "blue" | "green", switchId, isCounted: routers[aside?.[0] ?? ""]?.observability?.metrics !== false };
}

/** The cookie that Traefik gives a browser that opens a page and is left where it is. */
export function drawn(routing: string, headers: Headers = {}): Headers {
  const { services = {} } = (JSON.parse(routing) as File).http;
  const weighted = services["odoo-draw"]?.weighted;
  if (weighted === undefined || headers["Sec-Fetch-Dest"] !== "document") return {};
  const value = createHash("sha256")
    .update(weighted.services[0]?.name ?? "")
    .digest("hex");
  return { "set-cookie": `${weighted.sticky?.cookie?.name ?? ""}=${value.slice(0, 16)}; Path=/` };
}

/** The colour to which a canary leads some browsers, and how many of 100; undefined while none is under way. */
export function canaryIn(routing: string): { readonly colour: "blue" | "green"; readonly percent: number } | undefined {
  if (routing === "") return undefined;
  const weighted = (JSON.parse(routing) as File).http.services?.["odoo-draw"]?.weighted;
  if (weighted === undefined) return undefined;
  const percent = Number(weighted.sticky?.cookie?.name.split("-").at(-1));
  return { colour: weighted.services[1]?.name === "odoo-blue" ? "blue" : "green", percent };
}

/** What Traefik answers itself, by a redirect, to who opens that path; undefined when it asks a colour. */
export function redirected(routing: string, path: string): Headers | undefined {
  if (routing === "") return undefined;
  const { routers, middlewares = {} } = (JSON.parse(routing) as File).http;
  if (routers["odoo-link"]?.rule.includes(`Path(\`${path}\`)`) !== true) return undefined;
  return { location: "/", "set-cookie": middlewares["millwright-preview-cookie"]?.headers?.customResponseHeaders?.["Set-Cookie"] ?? "" };
}

function isMet(rule: string, headers: Headers): boolean {
  const cookie = /HeaderRegexp\(`Cookie`, `([^`]+)`\)/.exec(rule)?.[1];
  const [, name, value] = /Header\(`([^`]+)`, `([^`]+)`\)/.exec(rule) ?? [];
  return (cookie !== undefined && new RegExp(cookie).test(headers["Cookie"] ?? "")) || (name !== undefined && headers[name] === value);
}
