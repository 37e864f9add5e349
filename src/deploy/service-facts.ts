/** What the deploy room reads out of a service's definition beside what Compose makes of it. */
export interface PublishedPort {
  /** Empty for every address. */
  readonly address: string;
  readonly port: number;
  /** Port inside the container. */
  readonly target: number;
}

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };
const SHORTEST_SECONDS = 60;
const LONGEST_SECONDS = 900;

/** How long a service may take until it is healthy: its own start period, then twice what its retries take, within bounds. */
export function healthSecondsOf(service: Readonly<Record<string, unknown>>): number {
  const check = service["healthcheck"];
  if (typeof check !== "object" || check === null) return SHORTEST_SECONDS;
  const value = (key: string): unknown => (key in check ? (check as Readonly<Record<string, unknown>>)[key] : undefined);
  const retries = typeof value("retries") === "number" ? Number(value("retries")) : 3;
  const round = secondsOf(value("interval"), 30) + secondsOf(value("timeout"), 30);
  const seconds = secondsOf(value("start_period"), 0) + 2 * retries * round;
  return Math.ceil(Math.min(Math.max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS));
}

/** A Compose duration such as `1m30s`. */
function secondsOf(duration: unknown, otherwise: number): number {
  if (typeof duration !== "string") return otherwise;
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0) return otherwise;
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? "s"] ?? 1), 0);
}

/** Ports that a service publishes on the host over TCP, from the short form `address:80:8080` or the long one. */
export function publishedPortsOf(service: Readonly<Record<string, unknown>>): readonly PublishedPort[] {
  const ports = service["ports"];
  if (!Array.isArray(ports)) return [];
  return ports.flatMap((entry: unknown) => {
    if (typeof entry === "string") {
      const short = /^(?:(?:\[([0-9a-fA-F:]+)\]|([0-9.]+)):)?(\d+):(\d+)(?:\/tcp)?$/.exec(entry);
      return short === null ? [] : [{ address: short[1] ?? short[2] ?? "", port: Number(short[3]), target: Number(short[4]) }];
    }
    if (typeof entry !== "object" || entry === null || !("published" in entry)) return [];
    if ("protocol" in entry && entry.protocol !== "tcp") return [];
    return [
      {
        address: "host_ip" in entry ? String(entry.host_ip) : "",
        port: Number(entry.published),
        target: "target" in entry ? Number(entry.target) : Number(entry.published),
      },
    ];
  });
}
