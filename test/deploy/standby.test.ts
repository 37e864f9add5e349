import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Stack } from "../../src/blueprint/stack.ts";
import { deployBasis } from "../../src/deploy/prepare-deploy.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { makeDirectory } from "../../src/kernel/durable-file.ts";
import { fixtureStack, STACK } from "./fixture-stack.ts";
import { Cut, Host, MemoryJournal } from "./host.ts";

const OWN = fixtureStack();
/** The services in the order of a standby: the database last. */
const FOLLOWER: Stack = fixtureStack(({ facts }) => void Object.assign(facts, { follows: "192.0.2.1", roles: [], services: ["exporter", "edge", "database"] }));

async function cluster(host: Host, ...files: readonly string[]): Promise<void> {
  await makeDirectory(host.paths.cluster, 0o700);
  for (const name of ["PG_VERSION", ...files]) await writeFile(join(host.paths.cluster, name), "");
}

const refused = expect.objectContaining({ code: "STANDBY_ROLE" });

describe("the deploy of a standby", () => {
  it("makes the database before it starts it, sets nothing up in it, and never again", async () => {
    const host = await Host.make();
    host.offer(FOLLOWER);
    const { plan } = await host.prepare(FOLLOWER);
    const ids = plan.steps.map(({ id }) => id);
    expect(ids.slice(ids.indexOf("up:edge"))).toEqual(["up:edge", "seed", "up:database", "record", "tidy"]);
    expect((await host.run(plan)).outcome).toBe("done");
    expect(host.docker.calls.indexOf("seed")).toBeLessThan(host.docker.calls.findIndex((call) => /(start|create|up).*database/.test(call)));
    expect((await host.prepare(FOLLOWER)).plan.steps).toEqual([]);
  });

  it("makes it anew when it is asked to, its container gone before the new copy takes its place", async () => {
    const host = await Host.make();
    await host.deploy(FOLLOWER);
    host.docker.calls.length = 0;
    const { plan } = await host.prepare(FOLLOWER, { rebuild: true });
    expect(plan.steps.map(({ id }) => id)).toEqual(["keep", "seed", "up:database", "record", "tidy"]);
    expect((await host.run(plan)).outcome).toBe("done");
    const calls = host.docker.calls.filter((call) => /database|copy|seed/.test(call));
    expect(calls.slice(0, 4)).toEqual(["copy", expect.stringContaining("stop"), expect.stringContaining("remove"), "seed"]);
    expect(Object.keys(await host.running())).toContain("database");
  });

  it("leaves the one that follows alone when the copy cannot be made", async () => {
    const host = await Host.make();
    await host.deploy(FOLLOWER);
    const before = await host.running();
    const { plan } = await host.prepare(FOLLOWER, { rebuild: true });
    host.seedProblem = new MillwrightError("RESTORE_FAILED", "unable to connect");
    expect(await host.run(plan)).toMatchObject({ outcome: "undone", error: { code: "RESTORE_FAILED" } });
    expect(await host.running()).toEqual(before);
  });

  it("throws away no database of a host's own unless it is told to, and none that a release runs on", async () => {
    const host = await Host.make();
    await cluster(host);
    host.offer(FOLLOWER);
    await expect(host.prepare(FOLLOWER)).rejects.toThrow(expect.objectContaining({ code: "STANDBY_ROLE", hint: expect.stringContaining("--rebuild") }));
    expect((await host.prepare(FOLLOWER, { rebuild: true })).plan.steps.map(({ id }) => id)).toContain("seed");
    host.docker.addContainer({ project: `${STACK}-blue`, service: "web" });
    await expect(host.prepare(FOLLOWER, { rebuild: true })).rejects.toThrow(refused);
  });

  it("holds to its plan only while the host's part is the same: a standby that was promoted meanwhile is not thrown away", async () => {
    const host = await Host.make();
    await host.deploy(FOLLOWER);
    const { plan } = await host.prepare(FOLLOWER, { rebuild: true });
    expect(await deployBasis(host.deps, plan)).toBe(plan.basis);
    await rm(join(host.paths.cluster, "standby.signal"));
    expect(await deployBasis(host.deps, plan)).not.toBe(plan.basis);
    await writeFile(join(host.paths.cluster, "standby.signal"), "");
    host.fenced = true;
    expect(await deployBasis(host.deps, plan)).not.toBe(plan.basis);
  });

  it("lifts the fence of a host once it follows", async () => {
    const host = await Host.make();
    host.fenced = true;
    await cluster(host);
    host.offer(FOLLOWER);
    const { plan } = await host.prepare(FOLLOWER, { rebuild: true });
    expect(host.fenced).toBe(true);
    await host.run(plan);
    expect(host.fenced).toBe(false);
  });

  it("goes on when it was cut off while the database was made", async () => {
    const host = await Host.make();
    host.offer(FOLLOWER);
    const { plan } = await host.prepare(FOLLOWER);
    const journal = new MemoryJournal();
    journal.cutAt = 2 * plan.steps.findIndex(({ id }) => id === "seed") + 1;
    await expect(host.run(plan, journal)).rejects.toThrow(Cut);
    journal.cutAt = Number.POSITIVE_INFINITY;
    expect((await host.run(plan, journal)).outcome).toBe("done");
    expect(host.docker.calls.filter((call) => call === "seed")).toHaveLength(2);
  });
});

describe("the deploy of a host that serves", () => {
  it("is refused where the database follows another, where the host was fenced, and for a rebuild", async () => {
    const host = await Host.make();
    host.offer(OWN);
    await expect(host.prepare(OWN, { rebuild: true })).rejects.toThrow(refused);
    host.fenced = true;
    await expect(host.prepare(OWN)).rejects.toThrow(refused);
    host.fenced = false;
    await cluster(host, "standby.signal");
    await expect(host.prepare(OWN)).rejects.toThrow(refused);
  });
});
