import { vi } from "vitest";

/**
 * Puts the model's machine in the place of everything through which the agent touches a real one. A test imports this before anything of
 * src; from then on only processes of a machine can use files, sockets, the engine and HTTP.
 */
vi.mock("node:fs/promises", async () => await import("./node-fs.ts"));
vi.mock("node:fs", async () => await import("./node-fs.ts"));
vi.mock("node:net", async (original) => {
  const { isIP, isIPv4, isIPv6 } = await original<typeof import("node:net")>();
  return { isIP, isIPv4, isIPv6, ...(await import("./node-net.ts")) };
});
vi.mock("../../../src/docker/dockerode-docker.ts", async () => await import("./programs.ts"));
vi.mock("../../../src/docker/compose-cli.ts", async () => await import("./programs.ts"));
vi.mock("../../../src/docker/local-shell.ts", async () => await import("./programs.ts"));
vi.mock("../../../src/swap/node-http.ts", async () => await import("./programs.ts"));
vi.mock("../../../src/swap/connections.ts", async () => await import("./programs.ts"));
vi.mock("../../../src/deploy/open-host-vault.ts", async () => await import("./programs.ts"));
