import { describe, expect, it } from "vitest";
import { describeStatus } from "../../src/cli/describe-status.ts";
import { findConcerns } from "../../src/observe/concerns.ts";
import type { Status } from "../../src/observe/status-schema.ts";

const NOW = Date.parse("2026-11-24T02:00:00.000Z");

function status(over: Partial<Status>): Status {
  return {
    version: 1,
    at: "2026-11-24T02:00:00.000Z",
    stack: { name: "acme-production", id: "abc" },
    host: {
      name: "erp2",
      engine: "29",
      cpus: 2,
      memoryBytes: 4e9,
      memoryFreeBytes: 2e9,
      load: 0,
      uptimeSeconds: 9,
      disk: { path: "/", totalBytes: 1e11, freeBytes: 9e10 },
    },
    services: [],
    colours: [],
    lastRuns: [],
    backup: {},
    next: [],
    drift: [],
    concerns: [],
    ...over,
  };
}

const WELL = { isStreaming: true, lagSeconds: 4, unreplayedBytes: 0, filesAt: "2026-11-24T01:59:30Z" };
const follows = (now: Partial<typeof WELL> & { readonly filesFailSince?: string }): Status => {
  const { filesAt, ...rest } = { ...WELL, ...now };
  return status({ follows: { host: "192.0.2.1", now: { ...rest, ...(filesAt === undefined ? {} : { filesAt }) } } });
};

describe("the status of a standby", () => {
  it("has no concern while it streams and has its files, though no release serves and nothing is backed up there", () => {
    expect(findConcerns(follows({}), NOW)).toEqual([]);
    expect(describeStatus(follows({}), NOW)).toContain(
      "standby    streams from 192.0.2.1, its last sign of life is 4 s old\n           files as of 2026-11-24 01:59 UTC (30 s ago)",
    );
  });

  it("names what keeps it from following, and what to type", () => {
    expect(findConcerns(follows({ isStreaming: false, lagSeconds: 40 }), NOW)).toEqual([expect.stringContaining("does not stream from 192.0.2.1")]);
    expect(findConcerns(follows({ lagSeconds: 4000 }), NOW)).toEqual([expect.stringContaining("`millwright deploy --standby --rebuild`")]);
    expect(findConcerns(follows({ filesFailSince: "2026-11-24T01:00:00Z" }), NOW)).toEqual([expect.stringContaining("since 2026-11-24T01:00:00Z")]);
    const { filesAt: _none, ...noFiles } = WELL;
    expect(findConcerns(status({ follows: { host: "192.0.2.1", now: noFiles } }), NOW)).toEqual(["Not all of Odoo's files are here yet."]);
  });
});

describe("the status of a host that gave its plant up", () => {
  it("is that, and what to make of it whether another has taken over or not, not everything that does not run", () => {
    const fenced = status({
      isFenced: true,
      fencedAt: "2026-11-24T01:58:00.000Z",
      services: [{ service: "database", state: "exited", health: "none", since: "", image: "", restarts: 0, oomKilled: false }],
    });
    const [concern = "", ...others] = findConcerns(fenced, NOW);
    expect(others).toEqual([]);
    expect(concern).toContain("given up at 2026-11-24T01:58:00.000Z");
    const ways = ["`millwright failover`", "`millwright host fence --lift`", "`millwright deploy --standby --rebuild`"];
    expect(ways.map((way) => concern.indexOf(way))).toEqual(ways.map((way) => concern.indexOf(way)).sort((one, other) => one - other));
    expect(ways.every((way) => concern.includes(way))).toBe(true);
    expect(describeStatus(fenced, NOW)).toContain("serves     nothing: the plant was given up here 2026-11-24 01:58 UTC (2 min ago)");
  });
});

describe("the status of a host that has a standby", () => {
  const serving = { colour: "blue", release: "r1", image: "i", since: "2026-11-24T01:00:00.000Z", who: "jo", run: "r" } as const;
  const services = [{ service: "web", state: "running", health: "healthy", since: "", image: "", restarts: 0, oomKilled: false }] as const;
  const host = (now: NonNullable<Status["standby"]>["now"]): Status =>
    status({
      serving,
      colours: [{ colour: "blue", serves: true, services: [...services] }],
      standby: { host: "192.0.2.9", ...(now === undefined ? {} : { now }) },
    });

  it("says how far behind it is, and has a concern only when it does not follow", () => {
    expect(findConcerns(host({ isStreaming: true, lagBytes: 4000 }), NOW)).toEqual([]);
    expect(describeStatus(host({ isStreaming: true, lagBytes: 4000 }), NOW)).toContain("192.0.2.9 follows, 4 kB behind");
    expect(findConcerns(host({ isStreaming: false }), NOW)).toEqual(["The standby 192.0.2.9 does not follow: run `millwright status --standby`."]);
  });
});
