import { describe, expect, it } from "vitest";
import { NO_TRAFFIC } from "../../src/swap/metrics.ts";
import type { SwapDeps } from "../../src/swap/swap-deps.ts";
import { trafficAgo, trafficInReply } from "../../src/swap/traffic-history.ts";
import { FakeSite, STACK } from "./fake-site.ts";

const metric = (name: string, labels: Record<string, string>, value: string): unknown => ({
  metric: { __name__: name, ...labels },
  value: [1795542181, value],
});
const service = "odoo-blue@file";
/** As Prometheus 2.42 answers an instant query. */
const reply = (...result: readonly unknown[]): string => JSON.stringify({ status: "success", data: { resultType: "vector", result } });
const UP = metric("up", { job: "edge", instance: "edge:8082" }, "1");

describe("an answer of Prometheus", () => {
  it("gives the counters of that time", () => {
    const body = reply(
      metric("traefik_service_requests_total", { code: "200", service }, "21"),
      metric("traefik_service_requests_total", { code: "500", service }, "1"),
      metric("traefik_service_request_duration_seconds_bucket", { code: "200", le: "0.5", service }, "20"),
      metric("traefik_router_requests_total", { code: "503", router: "odoo-login@file", service }, "2"),
      UP,
    );
    expect(trafficInReply(body, "blue")).toMatchObject({
      requests: 22,
      errors: 1,
      buckets: [{ le: 0.5, count: 20 }],
      routers: { "odoo-login": { requests: 2, errors: 2 } },
    });
  });

  it("without a request by then is none, if Traefik was scraped", () => {
    expect(trafficInReply(reply(UP), "blue")).toEqual(NO_TRAFFIC);
  });

  it("says nothing when Traefik was not scraped then", () => {
    expect(trafficInReply(reply(), "blue")).toBeUndefined();
    expect(trafficInReply(reply(metric("up", { job: "edge" }, "0")), "blue")).toBeUndefined();
  });
});

describe("the traffic of some time ago", () => {
  /** A site whose Prometheus gives this answer, an hour after the edge was started. */
  async function siteWith(answer: () => string): Promise<{ site: FakeSite; deps: SwapDeps; asked: URL[] }> {
    const site = await FakeSite.make();
    site.docker.addContainer({ project: STACK, service: "prometheus", networks: [`${STACK}_metrics`] });
    site.clock.pass(3600_000);
    const asked: URL[] = [];
    const ask: SwapDeps["http"]["ask"] = async (request) => {
      asked.push(new URL(`http://${request.address}:${request.port}${request.path}`));
      return { status: 200, headers: {}, body: answer(), milliseconds: 1 };
    };
    return { site, deps: { ...site.deps, http: { ...site.deps.http, ask } }, asked };
  }

  it("is what Prometheus remembers", async () => {
    const { site, deps, asked } = await siteWith(() => reply(UP, metric("traefik_service_requests_total", { code: "200", service }, "5")));
    expect(await trafficAgo(deps, "blue", 600)).toMatchObject({ source: "prometheus", seconds: 600, traffic: { requests: 5 } });
    expect(asked[0]?.port).toBe("9090");
    expect(Number(asked[0]?.searchParams.get("time")) * 1000).toBe(site.clock.now() - 600_000);
    expect(asked[0]?.searchParams.get("query")).toContain(`service=~"|odoo-blue@file"`);
  });

  it("is none when the proxy has started since, and then nobody is asked", async () => {
    const { deps, asked } = await siteWith(() => reply(UP));
    expect(await trafficAgo(deps, "blue", 7200)).toEqual({ source: "proxy", seconds: 3600, traffic: NO_TRAFFIC });
    expect(asked).toEqual([]);
  });

  it.each([
    ["answers with an error", () => JSON.stringify({ status: "error", error: "bad query" })],
    ["answers with something else", () => "<html>"],
    [
      "does not answer",
      () => {
        throw new Error("connection refused");
      },
    ],
  ])("is not known when Prometheus %s", async (_name, answer) => {
    const { deps } = await siteWith(answer);
    expect(await trafficAgo(deps, "blue", 600)).toBeUndefined();
  });

  it("is not known without monitoring", async () => {
    const site = await FakeSite.make();
    site.clock.pass(3600_000);
    expect(await trafficAgo(site.deps, "blue", 600)).toBeUndefined();
  });
});
