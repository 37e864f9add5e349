import { PINNED } from "./traffic.ts";

/** Requests for one service as a proxy has counted them, from some moment on. JSON as it stands. */
export interface Traffic {
  readonly requests: number;
  /** Answers with a 5xx status. */
  readonly errors: number;
  /** Sum of the durations of `timed` requests. */
  readonly seconds: number;
  readonly timed: number;
  /** How many took no longer than so many seconds, as in a Prometheus histogram; what took longer than the last is in `timed` only. */
  readonly buckets: readonly Bucket[];
  /** The same requests by the router that took them in: `odoo-login`, `odoo-rpc`, … */
  readonly routers: Readonly<Record<string, Count>>;
}

export interface Bucket {
  readonly le: number;
  readonly count: number;
}

export interface Count {
  readonly requests: number;
  readonly errors: number;
}

export const NO_TRAFFIC: Traffic = { requests: 0, errors: 0, seconds: 0, timed: 0, buckets: [], routers: {} };

/** One value of Prometheus, by whatever way it came. */
export interface Metric {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/** The metrics in Prometheus text whose name begins with one of these. */
export function parseMetrics(text: string, ...prefixes: readonly string[]): readonly Metric[] {
  const found: Metric[] = [];
  for (const line of text.split("\n")) {
    const match = prefixes.some((prefix) => line.startsWith(prefix)) ? LINE.exec(line.trim()) : null;
    if (match === null) continue;
    const labels = Object.fromEntries([...(match[2] ?? "").matchAll(LABEL)].map((label) => [label[1] ?? "", label[2] ?? ""]));
    found.push({ name: match[1] ?? "", labels, value: Number(match[3]) });
  }
  return found;
}

/** What Traefik tells of a service of its file provider; all zero when it has not seen a request for it. */
export function trafficOfService(metrics: readonly Metric[], service: string): Traffic {
  let { requests, errors, seconds, timed } = NO_TRAFFIC;
  const buckets = new Map<number, number>();
  const routers = new Map<string, Count>();
  for (const { name, labels, value } of metrics) {
    if (labels["service"] !== `${service}@file` || !Number.isFinite(value)) continue;
    const failed = labels["code"]?.startsWith("5") === true ? value : 0;
    switch (name) {
      case "traefik_service_requests_total":
        requests += value;
        errors += failed;
        break;
      case "traefik_service_request_duration_seconds_sum":
        seconds += value;
        break;
      case "traefik_service_request_duration_seconds_count":
        timed += value;
        break;
      case "traefik_service_request_duration_seconds_bucket": {
        const le = Number(labels["le"]);
        if (Number.isFinite(le)) buckets.set(le, (buckets.get(le) ?? 0) + value);
        break;
      }
      case "traefik_router_requests_total": {
        // In a canary another router takes in the same requests for the new colour.
        const label = (labels["router"] ?? "").replace(/@file$/, "");
        const router = label.endsWith(PINNED) ? label.slice(0, -PINNED.length) : label;
        const before = routers.get(router) ?? { requests: 0, errors: 0 };
        routers.set(router, { requests: before.requests + value, errors: before.errors + failed });
        break;
      }
    }
  }
  return { requests, errors, seconds, timed, buckets: asBuckets(buckets), routers: Object.fromEntries([...routers].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** What was counted between two readings. Counters that went down were started anew, so all they show is new. */
export function trafficBetween(before: Traffic, now: Traffic): Traffic {
  if (now.requests < before.requests || now.timed < before.timed) return now;
  const counts = new Map(before.buckets.map(({ le, count }) => [le, count]));
  return {
    requests: now.requests - before.requests,
    errors: now.errors - before.errors,
    seconds: now.seconds - before.seconds,
    timed: now.timed - before.timed,
    buckets: now.buckets.map(({ le, count }) => ({ le, count: count - (counts.get(le) ?? 0) })),
    routers: Object.fromEntries(
      Object.entries(now.routers).map(([router, count]) => {
        const earlier = before.routers[router] ?? { requests: 0, errors: 0 };
        return [router, { requests: count.requests - earlier.requests, errors: count.errors - earlier.errors }];
      }),
    ),
  };
}

/** Bounds in which millwright's own requests are counted: those of the blueprint's Traefik. */
const OWN_BOUNDS = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30];

/** The traffic with one more request. */
export function withRequest(traffic: Traffic, seconds: number, isError: boolean): Traffic {
  const counts = new Map(traffic.buckets.map(({ le, count }) => [le, count]));
  return {
    ...traffic,
    requests: traffic.requests + 1,
    errors: traffic.errors + (isError ? 1 : 0),
    seconds: traffic.seconds + seconds,
    timed: traffic.timed + 1,
    buckets: OWN_BOUNDS.map((le) => ({ le, count: (counts.get(le) ?? 0) + (seconds <= le ? 1 : 0) })),
  };
}

/** Share of 5xx answers; 0 without requests. */
export function errorShare({ requests, errors }: Count): number {
  return requests === 0 ? 0 : errors / requests;
}

/** Mean duration in seconds; undefined without requests. */
export function meanSeconds({ seconds, timed }: Traffic): number | undefined {
  return timed === 0 ? undefined : seconds / timed;
}

/**
 * Seconds within which that share of the requests was answered, as Prometheus' `histogram_quantile` has it: straight lines within a
 * bucket, and the last bound for what took longer. Undefined without requests.
 */
export function quantileSeconds({ buckets, timed }: Traffic, share: number): number | undefined {
  if (timed <= 0 || buckets.length === 0) return undefined;
  const rank = share * timed;
  let [lower, below] = [0, 0];
  for (const { le, count } of buckets) {
    if (count >= rank) return count === below ? le : lower + (le - lower) * ((rank - below) / (count - below));
    [lower, below] = [le, count];
  }
  return lower;
}

function asBuckets(counts: ReadonlyMap<number, number>): readonly Bucket[] {
  return [...counts].map(([le, count]) => ({ le, count })).sort((a, b) => a.le - b.le);
}
