import * as z from "zod";
import type { Colour } from "../blueprint/stack.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { type Canary, drawRule, drawService, pinnedRule } from "./canary-routes.ts";
import { LINK_MIDDLEWARES, linkRule, type Preview, previewMiddlewares, TESTER_MIDDLEWARES, testerRule } from "./preview-routes.ts";

/** Which colour users reach. */
export interface Active {
  readonly colour: Colour;
  /** Names the switch that put this file in force, so that a probe can tell this configuration from an earlier one of the same colour. */
  readonly switchId: string;
  /** Some browsers are led to the other colour already. */
  readonly canary?: Canary;
  /** Testers are, and nobody else. Never together with a canary. */
  readonly preview?: Preview;
}

export const COLOUR_HEADER = "x-millwright-colour";
export const SWITCH_HEADER = "x-millwright-switch";
/** Ends the name of a router that takes in what another would, from browsers that are pinned to the new colour. */
export const PINNED = "-pinned";
const DRAW = "-draw";
const TESTER = "-preview";
const LINK = "-link";
const MARK = "millwright-colour";
const CANARY_MARK = "millwright-canary";
const PREVIEW_MARK = "millwright-preview";
const DRAW_SERVICE = "odoo-draw";
const TRANSPORT = "odoo";
/**
 * For a stack that names none. Without idle connections, the established ones to a colour are exactly its requests in flight: that is how
 * the drain counts. A dial timeout, because an address that swallows packets would hold requests for 30 s.
 */
const NO_IDLE_CONNECTIONS = { maxIdleConnsPerHost: -1, forwardingTimeouts: { dialTimeout: "5s" } };

const map = z.record(z.string(), z.unknown());
const routerSchema = z.looseObject({
  rule: z.string(),
  service: z.string(),
  priority: z.number().optional(),
  middlewares: z.array(z.string()).optional(),
  observability: z.looseObject({}).optional(),
});
const routesSchema = z.looseObject({
  http: z.looseObject({
    routers: z.record(z.string(), routerSchema),
    services: map.optional(),
    middlewares: map.optional(),
    serversTransports: map.optional(),
  }),
});
type Router = z.infer<typeof routerSchema>;
type Named<Value> = readonly (readonly [name: string, value: Value])[];

/**
 * Traefik's dynamic configuration: the stack's routes with every router of service `odoo` or `odoo-ws` led to the active colour. Without
 * one, the stack's own services of these names stay: they have no servers and answer 503. Only colours that are in use are listed: after
 * each reload Traefik takes all servers for up, so a stopped one in the list would get requests. JSON is valid for its file provider. Pure.
 */
export function trafficFile(routes: string, active: Active | undefined): string {
  const document = parseRoutes(routes);
  if (active === undefined) return serialise(document);

  const { canary, preview, switchId } = active;
  const routers = Object.entries(document.http.routers).flatMap(([name, router]) =>
    isLed(router) ? ledRouters(name, router, active) : [[name, router] as const],
  );
  const others = Object.entries(document.http.services ?? {}).filter(([name]) => name !== "odoo" && name !== "odoo-ws");
  const services: Named<unknown> =
    canary === undefined
      ? [active.colour, ...(preview === undefined ? [] : [preview.colour])].flatMap((colour) => servicesOf(colour))
      : [
          ...servicesOf(active.colour, [MARK]),
          ...servicesOf(canary.colour, [CANARY_MARK]),
          [DRAW_SERVICE, drawService(canary, `odoo-${active.colour}`, `odoo-${canary.colour}`)],
        ];
  const marks: Named<unknown> = [
    [MARK, markOf(active.colour, switchId)],
    ...(canary === undefined ? [] : [[CANARY_MARK, markOf(canary.colour, switchId)] as const]),
    ...(preview === undefined ? [] : [[PREVIEW_MARK, markOf(preview.colour, switchId)] as const, ...previewMiddlewares(preview)]),
  ];
  return serialise({
    ...document,
    http: {
      ...document.http,
      routers: Object.fromEntries(routers),
      services: Object.fromEntries([...others, ...services]),
      middlewares: { ...document.http.middlewares, ...Object.fromEntries(marks) },
      serversTransports: { [TRANSPORT]: NO_IDLE_CONNECTIONS, ...document.http.serversTransports },
    },
  });
}

function isLed({ service }: Router): boolean {
  return service === "odoo" || service === "odoo-ws";
}

/**
 * One router, or with a canary or a preview up to three: some go to the new colour, and everybody else stays with the old one. First in a list
 * of middlewares is outermost: answers that a middleware gives itself carry the mark too.
 */
function ledRouters(name: string, router: Router, { colour, canary, preview }: Active): Named<unknown> {
  const plain = [name, led(router, `${router.service}-${colour}`, MARK)] as const;
  if (canary !== undefined) return [plain, ...canaryRouters(name, router, canary)];
  return preview === undefined ? [plain] : [plain, ...previewRouters(name, router, preview)];
}

/** Who is pinned goes to the new colour, and a browser that opens a page and was not drawn in this stage yet is drawn. */
function canaryRouters(name: string, router: Router, canary: Canary): Named<unknown> {
  const pinned = { ...led(router, `${router.service}-${canary.colour}`, CANARY_MARK), ...above(router, 2), rule: pinnedRule(router.rule, canary) };
  // A websocket is opened by a page, whose browser has been drawn.
  if (router.service === "odoo-ws") return [[`${name}${PINNED}`, pinned]];
  const draw = { ...router, service: DRAW_SERVICE, ...above(router, 1), rule: drawRule(router.rule, canary) };
  return [
    [`${name}${PINNED}`, pinned],
    [`${name}${DRAW}`, draw],
  ];
}

/** Testers go to the new colour, uncounted: what they try is no evidence on it, and no traffic of its users. The link's path is a secret that no log gets. */
function previewRouters(name: string, router: Router, preview: Preview): Named<unknown> {
  const { middlewares = [], ...own } = led(router, `${router.service}-${preview.colour}`, PREVIEW_MARK);
  const tester = {
    ...own,
    ...above(router, 1),
    rule: testerRule(router.rule, preview),
    middlewares: [...middlewares, ...TESTER_MIDDLEWARES],
    observability: { ...router.observability, metrics: false },
  };
  if (router.service === "odoo-ws") return [[`${name}${TESTER}`, tester]];
  const link = {
    ...own,
    ...above(router, 2),
    rule: linkRule(router.rule, preview),
    middlewares: [...middlewares, ...LINK_MIDDLEWARES],
    service: "noop@internal",
    observability: { ...router.observability, metrics: false, accessLogs: false },
  };
  return [
    [`${name}${TESTER}`, tester],
    [`${name}${LINK}`, link],
  ];
}

function led(router: Router, service: string, mark: string): Router {
  return { ...router, service, middlewares: [mark, ...(router.middlewares ?? [])] };
}

function above({ priority }: Router, levels: number): { priority?: number } {
  return priority === undefined ? {} : { priority: priority + levels };
}

function servicesOf(colour: Colour, middlewares?: readonly string[]): Named<unknown> {
  const service = (port: number): unknown => ({
    ...(middlewares === undefined ? {} : { middlewares }),
    loadBalancer: { servers: [{ url: `http://odoo-${colour}:${port}` }], serversTransport: TRANSPORT },
  });
  return [
    [`odoo-${colour}`, service(8069)],
    [`odoo-ws-${colour}`, service(8072)],
  ];
}

function markOf(colour: Colour, switchId: string): unknown {
  return { headers: { customResponseHeaders: { "X-Millwright-Colour": colour, "X-Millwright-Switch": switchId } } };
}

function parseRoutes(routes: string): z.infer<typeof routesSchema> {
  let data: unknown;
  try {
    data = JSON.parse(routes);
  } catch (cause) {
    throw new MillwrightError("TRAFFIC_INVALID", "The stack's edge/routes.json is not JSON.", { subject: "edge/routes.json", cause });
  }
  const result = routesSchema.safeParse(data);
  if (result.success) return result.data;
  throw new MillwrightError("TRAFFIC_INVALID", "The stack's edge/routes.json is not a routing table.", {
    subject: "edge/routes.json",
    details: z.prettifyError(result.error).split("\n"),
  });
}

/** Traefik runs its dynamic files through Go templates, also inside JSON strings: one stray `{{` and it keeps its last state for ever. */
function serialise(document: unknown): string {
  const text = JSON.stringify(document, null, 2);
  if (text.includes("{{"))
    throw new MillwrightError("TRAFFIC_INVALID", "A value in edge/routes.json holds {{, which Traefik would run as a template.", {
      subject: "edge/routes.json",
    });
  return `${text}\n`;
}
