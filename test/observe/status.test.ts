import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type HostPaths, hostPaths } from "../../src/blueprint/host-paths.ts";
import { readLogs } from "../../src/observe/read-logs.ts";
import { readStatus, type StatusDeps } from "../../src/observe/status.ts";
import { statusSchema } from "../../src/observe/status-schema.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { FakeDocker } from "../fakes/fake-docker.ts";

const STACK = "acme-production";
const IMAGE = `sha256:${"f".repeat(64)}`;

async function host(): Promise<{ readonly paths: HostPaths; readonly docker: FakeDocker; readonly deps: StatusDeps; readonly clock: FakeClock }> {
  const paths = hostPaths(STACK, await mkdtemp(join(tmpdir(), "status-")));
  await mkdir(paths.state, { recursive: true });
  await mkdir(join(paths.data, "backup"), { recursive: true });
  const clock = new FakeClock();
  const docker = new FakeDocker(clock);
  const deps: StatusDeps = {
    stack: STACK,
    paths,
    docker,
    clock,
    machine: {
      facts: async (path) => ({
        name: "erp1",
        cpus: 4,
        memoryBytes: 16e9,
        memoryFreeBytes: 8e9,
        load: 0.5,
        uptimeSeconds: 10,
        disk: { path, totalBytes: 100e9, freeBytes: 60e9 },
      }),
    },
    current: async () => ({
      id: "0123456789abcdef",
      facts: { domain: "erp.acme.example", blueprint: { name: "odoo", version: "0.1.0" }, services: ["edge", "database", "backup"] },
    }),
    drift: async () => [],
    run: async () => undefined,
    lastRuns: async () => [],
  };
  return { paths, docker, deps, clock };
}

async function serve(paths: HostPaths, docker: FakeDocker): Promise<void> {
  for (const service of ["edge", "database", "backup"]) docker.addContainer({ project: STACK, service });
  for (const service of ["web", "cron"]) docker.addContainer({ project: `${STACK}-blue`, service, image: IMAGE });
  docker.addContainer({ project: `${STACK}-green`, service: "web" });
  await writeFile(
    join(paths.state, "serving.json"),
    JSON.stringify({ version: 1, colour: "blue", release: "2026-11-24-1", image: IMAGE, since: "2026-11-23T02:00:00.000Z", who: "maria", run: "r1" }),
  );
  await writeFile(join(paths.data, "backup", "last-success"), `${Date.parse("2026-11-24T01:00:00Z") / 1000}\n`);
}

describe("status", () => {
  it("says what serves, since when and by whom, and has no concern when all is well", async () => {
    const { paths, docker, deps } = await host();
    await serve(paths, docker);
    const status = statusSchema.parse(await readStatus(deps));
    expect(status.serving).toMatchObject({ colour: "blue", release: "2026-11-24-1", who: "maria", since: "2026-11-23T02:00:00.000Z" });
    expect(status.services.map((service) => `${service.service} ${service.health}`)).toEqual(["edge healthy", "database healthy", "backup healthy"]);
    expect(status.colours.map((colour) => `${colour.colour} ${colour.serves} ${colour.services.length}`)).toEqual(["blue true 2", "green false 1"]);
    expect(status.backup).toEqual({ last: "2026-11-24T01:00:00.000Z" });
    expect(status.concerns).toEqual([]);
  });

  it("is given for a host that knows nothing yet", async () => {
    const { deps } = await host();
    const status = statusSchema.parse(await readStatus({ ...deps, current: async () => undefined }));
    expect(status).toMatchObject({ services: [], concerns: ["Nothing is deployed yet: run `millwright deploy`."] });
    expect(status.serving).toBeUndefined();
  });

  it("names a sick and a missing service, an old backup, a full disk, drift and a run that waits", async () => {
    const { paths, docker, deps, clock } = await host();
    await serve(paths, docker);
    docker.behave("web", { health: "unhealthy" });
    docker.crash(STACK, "database");
    clock.pass(30 * 3_600_000);
    const { concerns } = await readStatus({
      ...deps,
      current: async () => ({
        id: "0123456789abcdef",
        facts: { domain: "d", blueprint: { name: "odoo", version: "0.1.0" }, services: ["edge", "database", "cache", "backup"] },
      }),
      machine: { facts: async (path) => ({ ...(await deps.machine.facts(path)), disk: { path, totalBytes: 100e9, freeBytes: 4e9 } }) },
      drift: async () => [{ subject: "edge", text: "edge was changed" }],
      lastRuns: async () => [{ run: "r2", kind: "deploy", purpose: "", who: "maria", began: "", outcome: "failed" }],
    });
    expect(concerns).toEqual([
      "blue web is unhealthy: run `millwright logs web`.",
      "database does not run (exited).",
      "cache has no container.",
      "The deploy r2 could not be undone and waits for a person: run `millwright resume`.",
      "The disk is 96 % full.",
      "The last good backup is 31 hours old.",
      "1 thing was changed by hand: `millwright plan` shows and `millwright deploy` mends it.",
    ]);
  });
});

describe("logs", () => {
  it("are those of the serving colour unless another is named", async () => {
    const { paths, docker } = await host();
    await serve(paths, docker);
    docker.behave(`${STACK}-blue/web`, { logs: ["blue 1", "blue 2"] });
    docker.behave(`${STACK}-green/web`, { logs: ["green 1"] });
    const deps = { stack: STACK, paths, docker };
    expect(await readLogs(deps, "web", 1)).toEqual({ service: "web", container: `${STACK}-blue-web-1`, lines: ["blue 2"] });
    expect((await readLogs(deps, "green-web", 10)).lines).toEqual(["green 1"]);
  });

  it("of an unknown service name those that there are", async () => {
    const { paths, docker } = await host();
    await serve(paths, docker);
    await expect(readLogs({ stack: STACK, paths, docker }, "redis", 10)).rejects.toMatchObject({
      code: "SERVICE_UNKNOWN",
      exit: 2,
      hint: expect.stringContaining("blue-web, cron, database, edge") as string,
    });
  });
});
