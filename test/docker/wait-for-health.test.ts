import { describe, expect, it } from "vitest";
import { waitForHealth } from "../../src/docker/wait-for-health.ts";
import type { ContainerState } from "../../src/docker/docker.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { FakeDocker } from "../fakes/fake-docker.ts";

/** An engine on which the service's container looks as given after so many milliseconds. */
function engine(look: (elapsed: number) => Partial<ContainerState>): { readonly docker: FakeDocker; readonly clock: FakeClock } {
  const clock = new FakeClock();
  const docker = new FakeDocker(clock);
  const begun = clock.now();
  docker.addContainer({ project: "p", service: "edge" });
  docker.behave("edge", { logs: ["last words"] });
  const containers = docker.containers.bind(docker);
  docker.containers = async (project, service) => (await containers(project, service)).map((container) => ({ ...container, ...look(clock.now() - begun) }));
  return { docker, clock };
}

const wait = async (
  look: (elapsed: number) => Partial<ContainerState>,
  signal = new AbortController().signal,
): Promise<{ readonly seconds: number; readonly ticks: number[] }> => {
  const { docker, clock } = engine(look);
  const begun = clock.now();
  const ticks: number[] = [];
  await waitForHealth({ docker, clock, project: "p", service: "edge", limitSeconds: 30, signal, onSecond: (second) => ticks.push(second) });
  return { seconds: (clock.now() - begun) / 1000, ticks };
};

describe("waiting for a service", () => {
  it("ends when it is healthy, and tells each second", async () => {
    expect(await wait((elapsed) => ({ health: elapsed >= 3000 ? "healthy" : "starting" }))).toEqual({ seconds: 3, ticks: [1, 2] });
  });

  it("takes one without a health check for up when it has run for two seconds", async () => {
    expect((await wait(() => ({ health: "none" }))).seconds).toBe(2);
  });

  it.each([
    [{ health: "unhealthy" }, "Service edge fails its health check."],
    [{ state: "exited", exitCode: 3, health: "unhealthy" }, "Service edge ended with 3."],
    [{ state: "exited", exitCode: 137, oomKilled: true }, "Service edge was ended for want of memory."],
    [{ state: "restarting", exitCode: 3, restartCount: 3, health: "unhealthy" }, "Service edge ends again and again (last with 3)."],
  ] as const)("gives up at once on %j", async (look, message) => {
    await expect(wait(() => look)).rejects.toMatchObject({ code: "SERVICE_UNHEALTHY", message, subject: "edge", details: ["last words"] });
  });

  it("forgives a first restart", async () => {
    expect(
      (await wait((elapsed) => (elapsed < 1000 ? { state: "restarting", exitCode: 1, restartCount: 1, health: "unhealthy" } : { restartCount: 1 }))).seconds,
    ).toBe(1);
  });

  it("ends when the run is aborted", async () => {
    const controller = new AbortController();
    const reason = new Error("stop");
    const waiting = wait((elapsed) => {
      if (elapsed > 1000) controller.abort(reason);
      return { health: "starting" };
    }, controller.signal);
    await expect(waiting).rejects.toBe(reason);
  });
});
