import { kill } from "node:process";
import { hostPaths } from "../blueprint/host-paths.ts";
import type { DeployDeps } from "../deploy/deploy-deps.ts";
import { secretsOf } from "../deploy/deploy-context.ts";
import { linuxHostFacts } from "../deploy/host-facts.ts";
import { readHostWaivers } from "../deploy/host-file.ts";
import { materialiseColour } from "../deploy/materialise-colour.ts";
import { openHostVault } from "../deploy/open-host-vault.ts";
import { provisionStack } from "../deploy/provision-stack.ts";
import { currentStack, readStack } from "../deploy/stack-store.ts";
import { composeCli } from "../docker/compose-cli.ts";
import type { Docker } from "../docker/docker.ts";
import { dockerodeDocker } from "../docker/dockerode-docker.ts";
import { timestamp } from "../kernel/clock.ts";
import { messageOf, MillwrightError } from "../kernel/errors.ts";
import type { Events } from "../kernel/events.ts";
import { procConnections } from "../swap/connections.ts";
import { nodeHttp } from "../swap/node-http.ts";
import { containerPsql } from "../swap/psql.ts";
import type { SwapDeps } from "../swap/swap-deps.ts";
import { currentTraffic, writeTraffic } from "../swap/write-traffic.ts";
import type { AgentDeps } from "./agent-deps.ts";

/** The host's engine. */
export function hostDocker(deps: AgentDeps): Docker {
  return dockerodeDocker(deps.clock);
}

/** The host as the deploy room uses it. */
export function deployDeps(deps: AgentDeps, stack: string): DeployDeps {
  const paths = hostPaths(stack, deps.root);
  return {
    stack,
    paths,
    docker: hostDocker(deps),
    compose: composeCli(deps.shell),
    clock: deps.clock,
    host: linuxHostFacts,
    openVault: openHostVault,
    writeRoutes: async (wanted) => await writeTraffic(paths, await currentTraffic(wanted, paths)),
    acceptedWaivers: readHostWaivers,
    imageDirectory: "/var/lib/docker",
  };
}

/**
 * Opens the current stack's vault, so that `redact` masks its secrets in log lines whatever else this process does with it. No error when
 * nothing is deployed yet.
 */
export async function knowSecrets(deps: DeployDeps): Promise<void> {
  const id = await currentStack(deps.paths);
  if (id !== undefined) await secretsOf(deps, await readStack(deps.paths, id));
}

/** The host as the swap room uses it, with the stack that is current now. */
export async function swapDeps(deps: AgentDeps, name: string, caller: { readonly who: string; readonly events: Events }): Promise<SwapDeps> {
  const base = deployDeps(deps, name);
  const id = await currentStack(base.paths);
  if (id === undefined) {
    throw new MillwrightError("PLATFORM_DOWN", "Nothing is deployed on the host yet.", { subject: name, hint: "Run `millwright deploy` first." });
  }
  const stack = await readStack(base.paths, id);
  await secretsOf(base, stack).catch((error: unknown) => {
    // Users can still be sent back without it; what needs a secret asks again and fails there.
    const text = `Log lines kept by this run are not masked: ${messageOf(error)}`;
    caller.events.emit({ kind: "note", at: timestamp(deps.clock), level: "warning", text });
  });
  return {
    stack,
    paths: base.paths,
    docker: base.docker,
    compose: base.compose,
    psql: containerPsql(base.docker, name),
    http: nodeHttp,
    connections: procConnections,
    clock: deps.clock,
    events: caller.events,
    materialiseColour: async (wanted, colour, release) => {
      await materialiseColour(base, wanted, colour, release.image);
    },
    provisionDatabase: () => provisionStack(base, stack),
    secret: async (secret) => (await secretsOf(base, stack))[secret],
    hangUp: (pid) => void kill(pid, "SIGHUP"),
    who: caller.who,
  };
}
