import { describe, expect, it } from "vitest";
import { describeStatus } from "../../src/cli/describe-status.ts";
import type { ServiceStatus, Status } from "../../src/observe/status-schema.ts";

const NOW = Date.parse("2026-11-24T08:00:00.000Z");
const GIB = 1024 ** 3;

const service = (name: string, more: Partial<ServiceStatus> = {}): ServiceStatus => ({
  service: name,
  state: "running",
  health: "healthy",
  since: "2026-11-20T02:00:00.000Z",
  image: "sha256:1",
  restarts: 0,
  oomKilled: false,
  ...more,
});

const PLANT: Status = {
  version: 1,
  at: "2026-11-24T08:00:00.000Z",
  stack: {
    name: "acme-production",
    id: "0123456789abcdef",
    domain: "erp.acme.example",
    blueprint: "odoo 0.1.0",
    deployed: { at: "2026-11-20T02:00:00.000Z", who: "maria (10.0.0.5)", run: "r1" },
  },
  host: {
    name: "erp1",
    engine: "28.0.1",
    cpus: 4,
    memoryBytes: 16 * GIB,
    memoryFreeBytes: 7.25 * GIB,
    load: 0.5,
    uptimeSeconds: 10,
    disk: { path: "/srv", totalBytes: 100 * GIB, freeBytes: 61 * GIB },
  },
  serving: {
    colour: "green",
    release: "2026-11-24-2",
    image: "sha256:2",
    since: "2026-11-24T02:04:10.000Z",
    who: "jo (10.0.0.6)",
    run: "r2",
    rollbackTo: "2026-11-17-1",
  },
  services: ["edge", "database", "cache", "backup", "prometheus", "node-exporter", "postgres-exporter", "redis-exporter", "blackbox-exporter"].map((name) =>
    service(name),
  ),
  colours: [
    { colour: "blue", release: "2026-11-17-1", serves: false, services: [service("web", { state: "exited" })] },
    { colour: "green", release: "2026-11-24-2", serves: true, services: [service("web"), service("cron")] },
  ],
  lastRuns: [],
  lastSwap: {
    run: "r2",
    kind: "swap",
    purpose: "Swap from release 2026-11-17-1 (blue) to 2026-11-24-2 (green).",
    who: "jo (10.0.0.6)",
    began: "2026-11-24T02:00:00.000Z",
    ended: "2026-11-24T02:05:20.000Z",
    outcome: "done",
  },
  backup: { last: "2026-11-24T01:30:00.000Z" },
  next: [
    { at: "2026-11-25T01:30:00.000Z", what: "backup" },
    { at: "2026-11-25T06:12:00.000Z", what: "security updates of the host" },
  ],
  journal: { entries: 57, head: "ab".repeat(32) },
  drift: [],
  concerns: [],
};

describe("the status of a plant", () => {
  it("says that nothing is known of its containers while the engine does not answer", () => {
    const { engine: _, ...host } = PLANT.host;
    const text = describeStatus({ ...PLANT, host, services: [], colours: [] }, NOW);
    expect(text).toContain("serves     release 2026-11-24-2 on green");
    expect(text).toContain("health     not known");
    expect(text).toContain("Docker does not answer");
  });

  it("is one screen: what serves and since when, health, the last swap and backup, what comes next", () => {
    expect(describeStatus(PLANT, NOW)).toBe(`acme-production on erp1
nothing needs a person

serves     release 2026-11-24-2 on green, since 2026-11-24 02:04 UTC (6 h), by jo (10.0.0.6)
           release 2026-11-17-1 is kept ready for \`millwright rollback\`
health     11 of 11 containers are well: edge, database, cache, backup, prometheus, node-exporter,
           postgres-exporter, redis-exporter, blackbox-exporter, green-web, green-cron
last swap  Swap from release 2026-11-17-1 (blue) to 2026-11-24-2 (green).
           done after 5 min 20 s, 2026-11-24 02:00 UTC (6 h ago), by jo (10.0.0.6): millwright report
backup     last good one 2026-11-24 01:30 UTC (7 h ago)
next       2026-11-25 01:30 UTC  backup (in 18 h)
           2026-11-25 06:12 UTC  security updates of the host (in 22 h)
stack      0123456789abcdef for erp.acme.example
           deployed 2026-11-20 02:00 UTC (4 days ago), by maria (10.0.0.5)
host       4 processors with a load of 0.50, 7.3 GiB of 16.0 GiB memory free
           61.0 GiB of 100.0 GiB disk free, Docker 28.0.1
journal    57 entries, head abababababababab: millwright history verify`);
  });

  it("names what needs a person first, and each container that is not well", () => {
    const lines = describeStatus(
      {
        ...PLANT,
        services: [service("edge", { restarts: 2 }), service("database", { state: "missing", health: "none" })],
        colours: [{ colour: "green", serves: true, services: [service("web", { health: "unhealthy", restarts: 3 })] }],
        backup: { last: "2026-11-22T01:30:00.000Z", lastFailure: "2026-11-24T01:31:00.000Z" },
        concerns: ["database has no container.", "The last backup failed."],
      },
      NOW,
    ).split("\n");
    expect(lines.slice(1, 3)).toEqual(["needs a person: database has no container.", "needs a person: The last backup failed."]);
    expect(lines.slice(6, 10)).toEqual([
      "health     1 of 3 containers are well: edge",
      "           database: has no container",
      "           green-web: unhealthy, restarted 3 times",
      "           edge: well, and was restarted 2 times",
    ]);
    expect(lines).toContain("backup     last good one 2026-11-22 01:30 UTC (2 days ago); failed since at 2026-11-24 01:31 UTC, tried again each hour");
  });

  it("is told of a host that knows nothing yet, and of a run under way", () => {
    const { serving: _serving, lastSwap: _last, journal: _journal, ...bare } = PLANT;
    const run = { run: "r3", who: "jo", reason: "Bring the first release into service.", since: "2026-11-24T07:59:00.000Z", isActive: true };
    const text = describeStatus({ ...bare, stack: { name: "acme-production" }, services: [], colours: [], backup: {}, next: [], run }, NOW);
    expect(text).toContain("serves     no release yet");
    expect(text).toContain("under way  Bring the first release into service.\n           for 60 s, by jo: millwright follow");
    const started = describeStatus({ ...PLANT, run: { ...run, step: "Lead 10 of 100 browsers to green and watch 2 for 300 s" } }, NOW);
    expect(started).toContain("service.\n           now: Lead 10 of 100 browsers to green and watch 2 for 300 s\n           for 60 s");
    const preview = { since: "2026-11-24T07:50:00.000Z", until: "2026-11-24T09:50:00.000Z" };
    expect(describeStatus({ ...PLANT, run: { ...run, preview } }, NOW)).toContain(
      "waits for a person since 2026-11-24 07:50 UTC; what leads to its preview: millwright follow",
    );
    expect(text).toContain("backup     none yet");
    expect(text).not.toContain("journal");
  });

  it("says that a swap was taken back, and that one waits for a person", () => {
    const swap = PLANT.lastSwap as NonNullable<Status["lastSwap"]>;
    const { ended: _ended, ...unended } = swap;
    expect(describeStatus({ ...PLANT, lastSwap: { ...swap, outcome: "undone" } }, NOW)).toContain("taken back after 5 min 20 s");
    expect(describeStatus({ ...PLANT, lastSwap: { ...unended, outcome: "failed" } }, NOW)).toContain("could not be undone, 2026-11-24 02:00 UTC");
  });
});
