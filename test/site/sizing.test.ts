import * as fc from "../properties.ts";
import { describe, expect, it } from "vitest";
import { describeSizing, reservedMemory } from "../../src/site/describe-sizing.ts";
import { computeSizing, type Sizing, type SizingNeeds } from "../../src/site/sizing.ts";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const NEEDS: SizingNeeds = { users: 40, memoryBytes: 16 * GIB, cpus: 4, sessions: "files", monitoring: true, overrides: {} };

function fitting(needs: Partial<SizingNeeds>): Sizing {
  const result = computeSizing({ ...NEEDS, ...needs });
  return result.kind === "fits" ? result.sizing : expect.fail(result.problem);
}

const anyNeeds = fc.record({
  users: fc.integer({ min: 1, max: 500 }),
  memoryBytes: fc.integer({ min: 1024, max: 256 * 1024 }).map((mib) => mib * MIB),
  cpus: fc.integer({ min: 1, max: 64 }),
  sessions: fc.constantFrom("files" as const, "redis" as const),
  monitoring: fc.boolean(),
  overrides: fc.constant({}),
});

describe("sizing", () => {
  it("gives a host of 4 GiB and 2 processors two workers for 10 users, with everything switched on", () => {
    expect(fitting({ users: 10, memoryBytes: 4 * GIB, cpus: 2, sessions: "redis" }).workers).toBe(2);
  });

  it("counts six users to a worker, within 2 x processors + 1 with cron", () => {
    expect(fitting({ users: 40 }).workers).toBe(7);
    expect(fitting({ users: 60 })).toMatchObject({ workers: 8, cronThreads: 1 });
  });

  it("lets the site overrule the numbers", () => {
    expect(fitting({ overrides: { workers: 3, cronThreads: 2 } })).toMatchObject({ workers: 3, cronThreads: 2 });
  });

  it("says what memory is missing, and that much is enough", () => {
    const small = computeSizing({ ...NEEDS, memoryBytes: 4 * GIB });
    const [, needed] = /needs at least ([\d.]+) GiB for 40 users/.exec(small.kind === "too-small" ? small.problem : "") ?? [];
    expect(computeSizing({ ...NEEDS, memoryBytes: Number(needed) * GIB }).kind).toBe("fits");
  });

  it("says what processors are missing, and that many are enough", () => {
    const small = computeSizing({ ...NEEDS, users: 200, memoryBytes: 64 * GIB });
    const [, needed] = /needs at least (\d+) processors for 200 users/.exec(small.kind === "too-small" ? small.problem : "") ?? [];
    expect(computeSizing({ ...NEEDS, users: 200, memoryBytes: 64 * GIB, cpus: Number(needed) }).kind).toBe("fits");
  });

  it("never promises more memory than the host has beside its system, with both colours up", () => {
    fc.assert(
      fc.property(anyNeeds, (needs) => {
        const result = computeSizing(needs);
        fc.pre(result.kind === "fits");
        const reserve = needs.memoryBytes >= 4 * GIB ? GIB : needs.memoryBytes / 4;
        expect(reservedMemory(result.sizing)).toBeLessThanOrEqual(needs.memoryBytes - reserve);
      }),
    );
  });

  it("gives PostgreSQL no more than its container holds, and connections for both colours", () => {
    fc.assert(
      fc.property(anyNeeds, (needs) => {
        const result = computeSizing(needs);
        fc.pre(result.kind === "fits");
        const { postgres, memory, odoo, workers, cronThreads } = result.sizing;
        const busy = postgres.maxConnections * 4 * MIB + 2 * postgres.maintenanceWorkMem + (workers + cronThreads + 4) * postgres.workMem;
        expect(postgres.sharedBuffers + busy).toBeLessThanOrEqual(memory.database);
        expect(postgres.maxConnections).toBeGreaterThanOrEqual(2 * (2 * (workers + cronThreads) + odoo.maxConnectionsGevent) + 20);
      }),
    );
  });

  it("never gives less to a host with more memory", () => {
    fc.assert(
      fc.property(anyNeeds, fc.integer({ min: 1, max: 64 * 1024 }), (needs, more) => {
        const small = computeSizing(needs);
        const large = computeSizing({ ...needs, memoryBytes: needs.memoryBytes + more * MIB });
        fc.pre(small.kind === "fits");
        if (large.kind !== "fits") return expect.fail(large.problem);
        for (const part of ["web", "cron", "database"] as const) expect(large.sizing.memory[part]).toBeGreaterThanOrEqual(small.sizing.memory[part]);
      }),
    );
  });

  it("is described without what the site does not use", () => {
    const rows = describeSizing(fitting({ monitoring: false }));
    expect(rows.map(({ what }) => what)).not.toContain("Redis");
    expect(rows.map(({ what }) => what)).not.toContain("Monitoring");
  });
});
