import { z } from "zod";
import type { Colour } from "../blueprint/stack.ts";
import { MillwrightError } from "../kernel/errors.ts";

/** Which colour users reach. */
export interface Active {
  readonly colour: Colour;
  /** Names the switch that put this file in force, so that a probe can tell this configuration from an earlier one of the same colour. */
  readonly switchId: string;
}

export const COLOUR_HEADER = "x-millwright-colour";
export const SWITCH_HEADER = "x-millwright-switch";
const MARK = "millwright-colour";
const TRANSPORT = "odoo";
/**
 * For a stack that names none. Without idle connections, the established ones to a colour are exactly its requests in flight: that is how
 * the drain counts. A dial timeout, because an address that swallows packets would hold requests for 30 s.
 */
const NO_IDLE_CONNECTIONS = { maxIdleConnsPerHost: -1, forwardingTimeouts: { dialTimeout: "1s" } };

const map = z.record(z.string(), z.unknown());
const routesSchema = z.looseObject({
  http: z.looseObject({
    routers: z.record(z.string(), z.looseObject({ service: z.string(), middlewares: z.array(z.string()).optional() })),
    services: map.optional(),
    middlewares: map.optional(),
    serversTransports: map.optional(),
  }),
});

/**
 * Traefik's dynamic configuration: the stack's routes with every router of service `odoo` or `odoo-ws` led to the active colour. Without
 * one, the stack's own services of these names stay: they have no servers and answer 503. Only the active colour is listed: after each
 * reload Traefik takes all servers for up, so a stopped one in the list would get requests. JSON is valid for its file provider. Pure.
 */
export function trafficFile(routes: string, active: Active | undefined): string {
  const document = parseRoutes(routes);
  if (active === undefined) return serialise(document);

  const { colour, switchId } = active;
  const names = new Map([
    ["odoo", { name: `odoo-${colour}`, url: `http://odoo-${colour}:8069` }],
    ["odoo-ws", { name: `odoo-ws-${colour}`, url: `http://odoo-${colour}:8072` }],
  ]);
  const routers = Object.entries(document.http.routers).map(([name, router]) => {
    const target = names.get(router.service);
    // First in the list is outermost: answers that a middleware gives itself carry the mark too.
    return [name, target === undefined ? router : { ...router, service: target.name, middlewares: [MARK, ...(router.middlewares ?? [])] }] as const;
  });
  const others = Object.entries(document.http.services ?? {}).filter(([name]) => !names.has(name));
  const services = [...names.values()].map(({ name, url }) => [name, { loadBalancer: { servers: [{ url }], serversTransport: TRANSPORT } }] as const);
  const mark = { headers: { customResponseHeaders: { "X-Millwright-Colour": colour, "X-Millwright-Switch": switchId } } };
  return serialise({
    ...document,
    http: {
      ...document.http,
      routers: Object.fromEntries(routers),
      services: Object.fromEntries([...others, ...services]),
      middlewares: { ...document.http.middlewares, [MARK]: mark },
      serversTransports: { [TRANSPORT]: NO_IDLE_CONNECTIONS, ...document.http.serversTransports },
    },
  });
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
