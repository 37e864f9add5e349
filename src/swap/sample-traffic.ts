import type { Colour } from "../blueprint/stack.ts";
import { addressOf, platformContainer } from "./colour-view.ts";
import { parseMetrics, type Traffic, trafficOfService } from "./metrics.ts";
import type { SwapDeps } from "./swap-deps.ts";

/** The edge's own entry point for metrics; never published. */
const METRICS_PORT = 8082;

export type TrafficByColour = Readonly<Record<Colour, Traffic>>;

/** What Traefik has counted for each colour; undefined when its metrics cannot be read, which is then no evidence either way. */
export async function sampleTraffic(deps: SwapDeps): Promise<TrafficByColour | undefined> {
  try {
    const edge = await platformContainer(deps, "edge");
    const address = edge === undefined ? undefined : addressOf(deps, edge, "metrics");
    if (address === undefined) return undefined;
    const answer = await deps.http.ask({ address, port: METRICS_PORT, path: "/metrics", timeoutMilliseconds: 2000 });
    if (answer.status !== 200) return undefined;
    const metrics = parseMetrics(answer.body, "traefik_service_request", "traefik_router_requests_total");
    return { blue: trafficOfService(metrics, "odoo-blue"), green: trafficOfService(metrics, "odoo-green") };
  } catch {
    // The verdict says that it had no metrics; a proxy that is really gone fails the probes.
    return undefined;
  }
}
