import * as z from "zod";
import type { Colour } from "../blueprint/stack.ts";
import { addressOf, platformContainer } from "./colour-view.ts";
import { type Metric, NO_TRAFFIC, type Traffic, trafficOfService } from "./metrics.ts";
import type { SwapDeps } from "./swap-deps.ts";

const PROMETHEUS_PORT = 9090;

const replySchema = z.object({
  status: z.literal("success"),
  data: z.object({
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});

/** What had been counted at some time before now. */
export interface Past {
  readonly source: "proxy" | "prometheus";
  readonly seconds: number;
  readonly traffic: Traffic;
}

/**
 * What Traefik had counted for a colour so many seconds ago, by Prometheus; nothing at its start, if that was later. Undefined when nobody
 * knows, because monitoring is off or was not there yet.
 */
export async function trafficAgo(deps: SwapDeps, colour: Colour, seconds: number): Promise<Past | undefined> {
  const then = deps.clock.now() - seconds * 1000;
  const edge = await platformContainer(deps, "edge");
  const started = Date.parse(edge?.startedAt ?? "");
  if (started >= then) return { source: "proxy", seconds: (deps.clock.now() - started) / 1000, traffic: NO_TRAFFIC };
  const prometheus = await platformContainer(deps, "prometheus");
  const address = prometheus === undefined || prometheus.state !== "running" ? undefined : addressOf(deps, prometheus, "metrics");
  if (address === undefined) return undefined;
  try {
    const query = new URLSearchParams({ query: queryFor(colour), time: (then / 1000).toFixed(3) });
    const answer = await deps.http.ask({ address, port: PROMETHEUS_PORT, path: `/api/v1/query?${query.toString()}`, timeoutMilliseconds: 3000 });
    const traffic = answer.status === 200 ? trafficInReply(answer.body, colour) : undefined;
    return traffic === undefined ? undefined : { source: "prometheus", seconds, traffic };
  } catch {
    // The verdict names the source of its baseline, and there is another one.
    return undefined;
  }
}

/** `up` has no label `service`, which matches the empty alternative: it tells a proxy without requests from one that was not scraped. */
function queryFor(colour: Colour): string {
  return `{__name__=~"up|traefik_service_request(s_total|_duration_seconds_(bucket|sum|count))|traefik_router_requests_total",job="edge",service=~"|odoo-${colour}@file"}`;
}

/** The counters in an answer of Prometheus; undefined when it had not scraped Traefik at that time. */
export function trafficInReply(body: string, colour: Colour): Traffic | undefined {
  const { result } = replySchema.parse(JSON.parse(body)).data;
  const metrics: readonly Metric[] = result.map(({ metric, value }) => ({ name: metric["__name__"] ?? "", labels: metric, value: Number(value[1]) }));
  const wasScraped = metrics.some(({ name, value }) => name === "up" && value === 1);
  return wasScraped ? trafficOfService(metrics, `odoo-${colour}`) : undefined;
}
