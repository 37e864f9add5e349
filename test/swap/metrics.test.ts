import * as fc from "../properties.ts";
import { describe, expect, it } from "vitest";
import {
  errorShare,
  meanSeconds,
  NO_TRAFFIC,
  parseMetrics,
  quantileSeconds,
  type Traffic,
  trafficBetween,
  trafficOfService,
  withRequest,
} from "../../src/swap/metrics.ts";

/** As Traefik 3.7 writes it. */
const TEXT = `# HELP traefik_service_requests_total How many HTTP requests processed on a service.
traefik_service_requests_total{code="200",method="GET",protocol="http",service="odoo-blue@file"} 90
traefik_service_requests_total{code="502",method="POST",protocol="http",service="odoo-blue@file"} 6
traefik_service_requests_total{code="500",method="GET",protocol="http",service="odoo-green@file"} 1
traefik_service_request_duration_seconds_bucket{code="200",method="GET",protocol="http",service="odoo-blue@file",le="0.1"} 40
traefik_service_request_duration_seconds_bucket{code="200",method="GET",protocol="http",service="odoo-blue@file",le="0.5"} 80
traefik_service_request_duration_seconds_bucket{code="200",method="GET",protocol="http",service="odoo-blue@file",le="+Inf"} 90
traefik_service_request_duration_seconds_bucket{code="502",method="POST",protocol="http",service="odoo-blue@file",le="0.1"} 6
traefik_service_request_duration_seconds_bucket{code="502",method="POST",protocol="http",service="odoo-blue@file",le="0.5"} 6
traefik_service_request_duration_seconds_bucket{code="502",method="POST",protocol="http",service="odoo-blue@file",le="+Inf"} 6
traefik_service_request_duration_seconds_sum{code="200",method="GET",protocol="http",service="odoo-blue@file"} 4.5
traefik_service_request_duration_seconds_count{code="200",method="GET",protocol="http",service="odoo-blue@file"} 90
traefik_service_request_duration_seconds_count{code="502",method="POST",protocol="http",service="odoo-blue@file"} 6
traefik_router_requests_total{code="200",method="GET",protocol="http",router="odoo@file",service="odoo-blue@file"} 90
traefik_router_requests_total{code="503",method="POST",protocol="http",router="odoo-login@file",service="odoo-blue@file"} 6
traefik_router_requests_total{code="200",method="POST",protocol="http",router="odoo-login@file",service="odoo-green@file"} 9
traefik_service_requests_total{code="200",service="odoo-blue-extra@file"} 1000
`;
const METRICS = parseMetrics(TEXT, "traefik_");
const BLUE = trafficOfService(METRICS, "odoo-blue");

describe("Traefik's counts", () => {
  it("are summed by service over codes and methods", () => {
    expect(BLUE).toEqual({
      requests: 96,
      errors: 6,
      seconds: 4.5,
      timed: 96,
      buckets: [
        { le: 0.1, count: 46 },
        { le: 0.5, count: 86 },
      ],
      routers: { odoo: { requests: 90, errors: 0 }, "odoo-login": { requests: 6, errors: 6 } },
    });
  });

  it("are zero for a service without a request", () => {
    expect(trafficOfService(METRICS, "odoo-ws-blue")).toEqual(NO_TRAFFIC);
  });

  it("that went down belong to a proxy that was started anew", () => {
    const now = trafficOfService(METRICS, "odoo-green");
    expect(trafficBetween(BLUE, now)).toEqual(now);
  });

  it("survive a trip through JSON, as journal and evidence make it", () => {
    expect(JSON.parse(JSON.stringify(BLUE))).toEqual(BLUE);
  });

  it("of a span are what was counted in it, whatever came before", () => {
    const request = fc.record({ seconds: fc.double({ min: 0, max: 40, noNaN: true }), isError: fc.boolean() });
    const counted = (requests: readonly { seconds: number; isError: boolean }[], from: Traffic = NO_TRAFFIC): Traffic =>
      requests.reduce((traffic, { seconds, isError }) => withRequest(traffic, seconds, isError), from);
    fc.assert(
      fc.property(fc.array(request), fc.array(request, { minLength: 1 }), (earlier, later) => {
        const before = counted(earlier);
        const [between, alone] = [trafficBetween(before, counted(later, before)), counted(later)];
        expect({ ...between, seconds: 0 }).toEqual({ ...alone, seconds: 0 });
        expect(between.seconds).toBeCloseTo(alone.seconds, 6);
      }),
    );
  });

  it("never make a share outside 0 and 1", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (good, errors) => {
        const share = errorShare({ requests: good + errors, errors });
        expect(share >= 0 && share <= 1).toBe(true);
      }),
    );
  });
});

describe("a quantile", () => {
  const times = (...seconds: readonly number[]): Traffic => seconds.reduce((traffic, time) => withRequest(traffic, time, false), NO_TRAFFIC);

  it("lies in the bucket that holds it", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.001, max: 29, noNaN: true }), { minLength: 20, maxLength: 60 }), (seconds) => {
        const exact = seconds.toSorted((a, b) => a - b)[Math.ceil(0.95 * seconds.length) - 1] ?? 0;
        const bounds = [0, ...times(1).buckets.map(({ le }) => le)];
        const upper = bounds.findIndex((bound) => exact <= bound);
        const found = quantileSeconds(times(...seconds), 0.95) ?? 0;
        expect(found).toBeGreaterThanOrEqual((bounds[upper - 1] ?? 0) - 1e-9);
        expect(found).toBeLessThanOrEqual((bounds[upper] ?? 0) + 1e-9);
      }),
    );
  });

  it("of what took longer than every bound is the last bound", () => {
    expect(quantileSeconds(times(60, 60), 0.95)).toBe(30);
  });

  it("and a mean of nothing are not known", () => {
    expect(quantileSeconds(NO_TRAFFIC, 0.95)).toBeUndefined();
    expect(meanSeconds(NO_TRAFFIC)).toBeUndefined();
  });
});
