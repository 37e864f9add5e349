/** What Traefik has counted for one service since it started. */
export interface Traffic {
  readonly requests: number;
  /** Answers with a 5xx status. */
  readonly errors: number;
  /** Sum of the durations of `timed` requests. */
  readonly seconds: number;
  readonly timed: number;
}

export const NO_TRAFFIC: Traffic = { requests: 0, errors: 0, seconds: 0, timed: 0 };

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/** Counters of a service of the file provider out of Prometheus text; all zero when Traefik has not seen a request for it. */
export function trafficOfService(text: string, service: string): Traffic {
  const name = `${service}@file`;
  let { requests, errors, seconds, timed } = NO_TRAFFIC;
  for (const line of text.split("\n")) {
    const match = line.startsWith("traefik_service_") ? SAMPLE.exec(line.trim()) : null;
    if (match === null) continue;
    const labels = new Map([...(match[2] ?? "").matchAll(LABEL)].map((label) => [label[1], label[2]]));
    const value = Number(match[3]);
    if (labels.get("service") !== name || !Number.isFinite(value)) continue;
    if (match[1] === "traefik_service_requests_total") {
      requests += value;
      if (labels.get("code")?.startsWith("5") === true) errors += value;
    } else if (match[1] === "traefik_service_request_duration_seconds_sum") seconds += value;
    else if (match[1] === "traefik_service_request_duration_seconds_count") timed += value;
  }
  return { requests, errors, seconds, timed };
}

/** What was counted between two readings. Counters that went down were started anew, so all they show is new. */
export function trafficBetween(before: Traffic, now: Traffic): Traffic {
  if (now.requests < before.requests) return now;
  return {
    requests: now.requests - before.requests,
    errors: now.errors - before.errors,
    seconds: now.seconds - before.seconds,
    timed: now.timed - before.timed,
  };
}

/** Share of 5xx answers; 0 without requests. */
export function errorShare(traffic: Traffic): number {
  return traffic.requests === 0 ? 0 : traffic.errors / traffic.requests;
}

/** Mean duration in milliseconds; undefined without requests. */
export function meanMilliseconds(traffic: Traffic): number | undefined {
  return traffic.timed === 0 ? undefined : (traffic.seconds / traffic.timed) * 1000;
}
