import { MillwrightError } from "../kernel/errors.ts";
import type { RunResult, Shell } from "../kernel/shell.ts";
import { DOCKER_SOCKET } from "./compose-cli.ts";
import { lastLine } from "./docker-error.ts";
import type { Compose, Docker } from "./docker.ts";

const ASIDE = "-aside";

export type Disconnect = (network: string, endpoint: string) => Promise<void>;

/**
 * An engine that is restarted while one of its containers ends keeps that container's endpoint in its network's store, and refuses every later
 * container of the same name (measured, Docker 26.1 with live-restore: a colour whose cron was ending could never be started again). It names
 * endpoint and network when it does; they are taken off, and what was asked is asked again.
 */
export function withoutStrayEndpoints(
  engine: { readonly docker: Docker; readonly compose: Compose },
  disconnect: Disconnect,
): { readonly docker: Docker; readonly compose: Compose } {
  const { docker, compose } = engine;

  async function freed(work: () => Promise<void>): Promise<void> {
    // One for each network of each container, and the same one never twice.
    const seen = new Set<string>();
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        const stray = strayEndpoint(error);
        if (stray === undefined || seen.has(stray.key)) throw error;
        seen.add(stray.key);
        await disconnect(stray.network, stray.endpoint);
      }
    }
  }

  return {
    docker: { ...docker, start: async (id) => await freed(() => docker.start(id)) },
    compose: { ...compose, up: async (...words) => await freed(() => compose.up(...words)) },
  };
}

function strayEndpoint(error: unknown): { readonly endpoint: string; readonly network: string; readonly key: string } | undefined {
  if (!(error instanceof MillwrightError)) return undefined;
  const match = /endpoint with name (\S+) already exists in network (\S+)/.exec(error.message);
  const [key, endpoint = "", network = ""] = match ?? [];
  return key === undefined ? undefined : { endpoint, network, key };
}

/**
 * The engine removes an endpoint by its name only if no container has that name: otherwise it looks at that container's own connections, which
 * the stray one is not among. So a container that bears the name steps aside for that moment.
 */
export function dockerDisconnect(shell: Shell, socketPath: string = DOCKER_SOCKET): Disconnect {
  const docker = async (...words: string[]): Promise<RunResult> =>
    await shell.run(["docker", "--host", `unix://${socketPath}`, ...words], { timeoutMilliseconds: 30_000 });
  return async (network, endpoint) => {
    const must = (result: RunResult): void => {
      if (result.code === 0) return;
      throw new MillwrightError("DOCKER_FAILED", `What is left of ${endpoint} on network ${network} could not be removed: ${lastLine(result.stderr)}`, {
        subject: endpoint,
        hint: "Restart the engine with `systemctl restart docker`, then run the command again.",
      });
    };
    const aside = `${endpoint}${ASIDE}`;
    const renamed = await docker("rename", endpoint, aside);
    const isThere = !/No such container/i.test(renamed.stderr);
    if (isThere) must(renamed);
    try {
      must(await docker("network", "disconnect", "--force", network, endpoint));
    } finally {
      if (isThere) must(await docker("rename", aside, endpoint));
    }
  };
}
