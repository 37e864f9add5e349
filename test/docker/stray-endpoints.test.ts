import { describe, expect, it } from "vitest";
import type { Compose, Docker } from "../../src/docker/docker.ts";
import { dockerDisconnect, withoutStrayEndpoints } from "../../src/docker/stray-endpoints.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import type { RunResult, Shell } from "../../src/kernel/shell.ts";

const stray = (endpoint: string, network: string): MillwrightError =>
  new MillwrightError(
    "COMPOSE_FAILED",
    `\`docker compose\` ended with 1: Error response from daemon: endpoint with name ${endpoint} already exists in network ${network}`,
    { subject: "cron" },
  );

/** An engine that refuses until the endpoints that stand in its way are gone. */
function engine(inTheWay: string[], { frees = true } = {}): { docker: Docker; compose: Compose; disconnected: string[]; asked: string[] } {
  const [disconnected, asked]: [string[], string[]] = [[], []];
  const start = async (name: string): Promise<void> => {
    asked.push(name);
    const [first] = inTheWay;
    if (first !== undefined) throw stray("shop-green-cron-1", first);
  };
  const wrapped = withoutStrayEndpoints(
    { docker: { start } as Partial<Docker> as Docker, compose: { up: (project: string) => start(project) } as Partial<Compose> as Compose },
    async (network, endpoint) => {
      disconnected.push(`${endpoint} ${network}`);
      if (frees) inTheWay.splice(inTheWay.indexOf(network), 1);
    },
  );
  return { ...wrapped, disconnected, asked };
}

describe("an endpoint that a restarted engine has forgotten to remove", () => {
  it("is taken off each network before its container's name is used again", async () => {
    const { compose, disconnected, asked } = engine(["shop_data", "shop_app"]);
    await compose.up("shop-green", "/p", ["cron"]);
    expect(disconnected).toEqual(["shop-green-cron-1 shop_data", "shop-green-cron-1 shop_app"]);
    expect(asked).toHaveLength(3);
  });

  it("does not keep a stopped container from being started", async () => {
    const { docker, disconnected } = engine(["shop_data"]);
    await docker.start("c1");
    expect(disconnected).toEqual(["shop-green-cron-1 shop_data"]);
  });

  it("is told as the engine told it when it cannot be taken off", async () => {
    const { docker, asked } = engine(["shop_data"], { frees: false });
    await expect(docker.start("c1")).rejects.toMatchObject({ code: "COMPOSE_FAILED" });
    expect(asked).toHaveLength(2);
  });

  it("leaves every other error alone", async () => {
    const refused = new MillwrightError("DOCKER_FAILED", "no such container", { subject: "c1" });
    const docker = { start: async () => await Promise.reject(refused) } as Partial<Docker> as Docker;
    const wrapped = withoutStrayEndpoints({ docker, compose: {} as Partial<Compose> as Compose }, async () => {});
    await expect(wrapped.docker.start("c1")).rejects.toBe(refused);
  });

  const PREFIX = "docker --host unix:///var/run/docker.sock ";
  /** A command line that fails where it is told to. */
  function failingAt(failures: Readonly<Record<string, string>>): { readonly shell: Shell; readonly ran: string[] } {
    const ran: string[] = [];
    const run = async (words: readonly string[]): Promise<RunResult> => {
      const said = words.join(" ").slice(PREFIX.length);
      ran.push(said);
      const stderr = failures[said] ?? "";
      return { code: stderr === "" ? 0 : 1, stdout: "", stderr };
    };
    return { ran, shell: { run } };
  }
  const RENAME = "rename shop-green-cron-1 shop-green-cron-1-aside";
  const DISCONNECT = "network disconnect --force shop_data shop-green-cron-1";
  const BACK = "rename shop-green-cron-1-aside shop-green-cron-1";

  it("is removed by force while the container that has its name steps aside", async () => {
    const { ran, shell } = failingAt({});
    await dockerDisconnect(shell)("shop_data", "shop-green-cron-1");
    expect(ran).toEqual([RENAME, DISCONNECT, BACK]);
  });

  it("is removed when no container has its name", async () => {
    const { ran, shell } = failingAt({ [RENAME]: "Error response from daemon: No such container: shop-green-cron-1" });
    await dockerDisconnect(shell)("shop_data", "shop-green-cron-1");
    expect(ran).toEqual([RENAME, DISCONNECT]);
  });

  it("leaves the container its name when it cannot be removed", async () => {
    const { ran, shell } = failingAt({ [DISCONNECT]: "no such network" });
    await expect(dockerDisconnect(shell)("shop_data", "shop-green-cron-1")).rejects.toMatchObject({ code: "DOCKER_FAILED" });
    expect(ran.at(-1)).toBe(BACK);
  });
});
