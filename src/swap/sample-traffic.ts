import type { Colour } from "../blueprint/stack.ts";
import { addressOf, platformContainer } from "./colour-view.ts";
import { type Traffic, trafficOfService } from "./metrics.ts";
import type { SwapDeps } from "./swap-deps.ts";

/** The edge's own entry point for metrics; never published. */
const METRICS_PORT = 8082;

/** What Traefik has counted for each colour; undefined when its metrics cannot be read, which is then no evidence either way. */
export async function sampleTraffic(deps: SwapDeps): Promise<Readonly<Record<Colour, Traffic>> | undefined> {
  try {
    const edge = await platformContainer(deps, "edge");
    const address = edge === undefined ? undefined : addressOf(deps, edge, "metrics");
    if (address === undefined) return undefined;
    const answer = await deps.http.ask({ address, port: METRICS_PORT, path: "/metrics", timeoutMilliseconds: 2000 });
    if (answer.status !== 200) return undefined;
    return { blue: trafficOfService(answer.body, "odoo-blue"), green: trafficOfService(answer.body, "odoo-green") };
  } catch {
    // The verdict says that it had no metrics; a proxy that is really gone fails the probes.
    return undefined;
  }
}
