import { createReadStream } from "node:fs";
import type { Stack } from "../blueprint/stack.ts";
import { hostPaths } from "../blueprint/host-paths.ts";
import type { DeployDeps } from "../deploy/deploy-deps.ts";
import { secretsOf } from "../deploy/deploy-context.ts";
import { nftRedirect } from "../deploy/nft-redirect.ts";
import { linuxHost } from "../deploy/host-system.ts";
import { readHostWaivers } from "../deploy/host-file.ts";
import { colourAsWanted, materialiseColour, materialiseRecovery } from "../deploy/materialise-colour.ts";
import { shownCertificate } from "../deploy/shown-certificate.ts";
import { openHostVault } from "../deploy/open-host-vault.ts";
import { provisionStack } from "../deploy/provision-stack.ts";
import { currentStack, readStack } from "../deploy/stack-store.ts";
import { composeCli } from "../docker/compose-cli.ts";
import type { Docker } from "../docker/docker.ts";
import { dockerodeDocker } from "../docker/dockerode-docker.ts";
import { composePastLostProcesses } from "../docker/lost-process.ts";
import { dockerDisconnect, withoutStrayEndpoints } from "../docker/stray-endpoints.ts";
import { linuxLinks, withoutStrayLinks } from "../docker/stray-links.ts";
import { sendSignal } from "../docker/local-shell.ts";
import { timestamp } from "../kernel/clock.ts";
import { messageOf, MillwrightError } from "../kernel/errors.ts";
import type { Events } from "../kernel/events.ts";
import { imageTag } from "../release/image-store.ts";
import { releaseArchive, releaseLoad } from "../release/move-release.ts";
import { seedStandby } from "../recovery/seed-standby.ts";
import { prepareOffsite } from "../recovery/prepare-offsite.ts";
import { isFenced, removeFenced } from "../recovery/fenced.ts";
import { readPair } from "../recovery/following.ts";
import { pgbackrest } from "../recovery/pgbackrest.ts";
import { readyArchive } from "../recovery/ready-archive.ts";
import { recoveryProject, type RecoveryDeps } from "../recovery/recovery-deps.ts";
import { restic } from "../recovery/restic.ts";
import { procConnections } from "../swap/connections.ts";
import { doorAddress, whyNotThrough } from "../swap/front.ts";
import { type HoldDeps, holdUsers, letUsersIn, pageProblem } from "../swap/hold.ts";
import { nodeHttp } from "../swap/node-http.ts";
import { probeColour } from "../swap/probe-colour.ts";
import { containerPsql } from "../swap/psql.ts";
import type { SwapDeps } from "../swap/swap-deps.ts";
import { readServing } from "../swap/serving.ts";
import { currentTraffic, trafficOf, writeTraffic } from "../swap/write-traffic.ts";
import type { AgentDeps } from "./agent-deps.ts";
import { verifyJournal } from "./journal-file.ts";
import { releaseBeginnings } from "./release-beginnings.ts";

/** The host's engine. */
export function hostDocker(deps: AgentDeps): Docker {
  return dockerodeDocker(deps.clock);
}

/** The host as the deploy room uses it. */
export function deployDeps(deps: AgentDeps, stack: string): DeployDeps {
  const paths = hostPaths(stack, deps.root);
  const { docker, compose } = withoutStrayLinks(
    withoutStrayEndpoints({ docker: hostDocker(deps), compose: composePastLostProcesses(composeCli(deps.shell), deps.clock) }, dockerDisconnect(deps.shell)),
    linuxLinks(deps.shell),
  );
  const holdDeps = (wanted: Stack, events: Events): HoldDeps => ({
    stack: wanted,
    paths,
    docker,
    http: nodeHttp,
    psql: containerPsql(docker, stack),
    clock: deps.clock,
    events,
  });
  return {
    stack,
    paths,
    docker,
    compose,
    clock: deps.clock,
    host: linuxHost,
    openVault: openHostVault,
    writeRoutes: async (wanted) => await writeTraffic(paths, await currentTraffic(wanted, paths)),
    holdUsers: async (wanted, events, signal) => await holdUsers(holdDeps(wanted, events), signal),
    letUsersIn: async (wanted, events) => await letUsersIn(holdDeps(wanted, events)),
    prepareArchive: () => readyArchive({ psql: containerPsql(docker, stack), archive: pgbackrest(docker, stack) }).then(() => undefined, whyForeign),
    prepareOffsite: (place) => prepareOffsite({ paths }, { archive: pgbackrest(docker, stack, "offsite") }, place),
    seedStandby: async (wanted, signal, makeWay) =>
      await seedStandby(
        {
          stack: wanted,
          paths,
          docker,
          compose,
          archive: pgbackrest(docker, stack, "offsite"),
          freeBytes: () => linuxHost.freeBytes(paths.data),
          // No release is started there; the place must only be whole.
          materialiseRecovery: () => materialiseRecovery({ paths, openVault: openHostVault }, wanted, wanted.facts.releaseBase),
        },
        signal,
        makeWay,
      ),
    isFenced: () => isFenced(paths),
    unfence: () => removeFenced(paths),
    redirect: nftRedirect(deps.shell),
    probeProxy: async (door) => {
      const serving = await readServing(paths);
      return serving === undefined ? undefined : await whyNotThrough(nodeHttp, door, { colour: serving.colour, switchId: serving.run });
    },
    shownCertificate: ({ domain, listen }) => shownCertificate({ domain, address: doorAddress(listen), port: 443 }),
    query: (sql) => containerPsql(docker, stack).query("postgres", sql),
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

/** Before a restore to a new host, which brings the right database. */
function whyForeign(error: unknown): string {
  if (error instanceof MillwrightError && error.code === "ARCHIVE_FOREIGN") return `${error.message} ${error.hint}`;
  throw error;
}

interface Caller {
  readonly who: string;
  readonly events: Events;
}

/** What swaps and recoveries share, on the stack that is current now. Its secrets are known from here on, so that log lines are masked. */
async function deployedDeps(deps: AgentDeps, base: DeployDeps, { who, events }: Caller) {
  const id = await currentStack(base.paths);
  if (id === undefined) {
    throw new MillwrightError("PLATFORM_DOWN", "Nothing is deployed on the host yet.", { subject: base.stack, hint: "Run `millwright deploy` first." });
  }
  const stack = await readStack(base.paths, id);
  await secretsOf(base, stack).catch((error: unknown) => {
    // Users can still be sent back without it; what needs a secret asks again and fails there.
    const text = `Log lines kept by this run are not masked: ${messageOf(error)}`;
    events.emit({ kind: "note", at: timestamp(deps.clock), level: "warning", text });
  });
  const { paths, docker, compose, clock } = base;
  return { stack, paths, docker, compose, clock, psql: containerPsql(docker, base.stack), events, who };
}

/** The host as the recovery room uses it. */
export async function recoveryDeps(deps: AgentDeps, name: string, caller: Caller): Promise<RecoveryDeps> {
  const base = deployDeps(deps, name);
  const shared = await deployedDeps(deps, base, caller);
  const { stack } = shared;
  return {
    ...shared,
    scratchPsql: containerPsql(base.docker, recoveryProject({ stack })),
    archive: pgbackrest(base.docker, name),
    files: restic(base.docker, { stack: name, database: stack.facts.database }),
    ...(stack.facts.backup.offsite === undefined
      ? {}
      : {
          offsite: {
            archive: pgbackrest(base.docker, name, "offsite"),
            files: restic(base.docker, { stack: name, database: stack.facts.database }, "offsite"),
          },
        }),
    materialiseRecovery: async (image) => {
      await materialiseRecovery(base, stack, image);
    },
    saveRelease: (image) => releaseArchive(base.docker, image),
    loadRelease: async (image, archivePath) => {
      await releaseLoad(base.docker, image, createReadStream(archivePath), imageTag(name, image));
    },
    secret: async (secret) => (await secretsOf(base, stack))[secret],
    provisionDatabase: () => provisionStack(base, stack),
    leadAway: async () => await writeTraffic(base.paths, trafficOf(stack, undefined)),
    leadBack: () => base.writeRoutes(stack),
    probe: async (colour) => await probeColour({ ...shared, http: nodeHttp, secret: async (secret) => (await secretsOf(base, stack))[secret] }, colour),
    pageProblem: () => pageProblem({ stack, paths: base.paths, docker: base.docker, http: nodeHttp }),
    freeBytes: () => base.host.freeBytes(base.paths.data),
    following: async () => (await readPair(base.docker, name, stack.facts)).following,
    beginnings: async () => releaseBeginnings((await verifyJournal(base.paths.journal)).entries),
  };
}

/** Of the disks that a release comes to: it adds to the engine's images, and to the data of the stack. */
export async function leastFree({ host, imageDirectory, paths }: Pick<DeployDeps, "host" | "imageDirectory" | "paths">): Promise<number> {
  return Math.min(await host.freeBytes(imageDirectory), await host.freeBytes(paths.base));
}

/** The host as the swap room uses it, with the stack that is current now. */
export async function swapDeps(deps: AgentDeps, name: string, caller: Caller): Promise<SwapDeps> {
  const base = deployDeps(deps, name);
  const shared = await deployedDeps(deps, base, caller);
  const { stack } = shared;
  return {
    ...shared,
    http: nodeHttp,
    connections: procConnections,
    freeBytes: () => leastFree(base),
    materialiseColour: async (wanted, colour, release) => {
      await materialiseColour(base, wanted, colour, release.image);
    },
    colourConfig: async (wanted, colour, release) => {
      const { services } = await colourAsWanted(base, wanted, colour, release.image);
      return Object.fromEntries(Object.entries(services).map(([service, { config }]) => [service, config]));
    },
    provisionDatabase: () => provisionStack(base, stack),
    secret: async (secret) => (await secretsOf(base, stack))[secret],
    // Gone meanwhile, it reads its files when it starts again.
    hangUp: (pid) => sendSignal(pid, "SIGHUP"),
    random: deps.random,
  };
}
