import { join } from "node:path";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { COLOURS, type Colour, type StackFacts } from "../blueprint/stack.ts";
import type { ContainerState, Docker } from "../docker/docker.ts";
import { type Clock, timestamp } from "../kernel/clock.ts";
import { readIfThere } from "../kernel/durable-file.ts";
import { readColourRelease, readServing, type Serving } from "../swap/serving.ts";
import { findConcerns } from "./concerns.ts";
import type { Machine } from "./machine.ts";
import type { ServiceStatus, Status } from "./status-schema.ts";

export interface StatusDeps {
  /** `<site>-<environment>`. */
  readonly stack: string;
  readonly paths: HostPaths;
  readonly docker: Docker;
  readonly clock: Clock;
  readonly machine: Machine;
  /** The deployed stack, undefined before the first deploy. */
  readonly current: () => Promise<{ readonly id: string; readonly facts: Pick<StackFacts, "domain" | "blueprint" | "services"> } | undefined>;
  readonly drift: () => Promise<Status["drift"]>;
  /** The holder of the lock. */
  readonly run: () => Promise<Status["run"]>;
  /** Newest first. */
  readonly lastRuns: () => Promise<Status["lastRuns"]>;
}

/** How the stack does on this host: what serves since when and by whom, how well, and what a person should look at. */
export async function readStatus(deps: StatusDeps): Promise<Status> {
  const { docker, paths, stack } = deps;
  const [engine, current, containers, serving, host, run, lastRuns, drift, backup] = await Promise.all([
    docker.version(),
    deps.current(),
    docker.containers(stack),
    readServing(paths),
    deps.machine.facts(paths.base),
    deps.run(),
    deps.lastRuns(),
    deps.drift(),
    readBackup(paths),
  ]);
  const colours = await Promise.all(COLOURS.map((colour) => colourStatus(deps, colour, serving)));
  const status: Omit<Status, "concerns"> = {
    version: 1,
    at: timestamp(deps.clock),
    stack: {
      name: stack,
      ...(current === undefined
        ? {}
        : { id: current.id, domain: current.facts.domain, blueprint: `${current.facts.blueprint.name} ${current.facts.blueprint.version}` }),
    },
    host: { ...host, engine: engine.engine },
    ...(serving === undefined ? {} : { serving: servingStatus(serving) }),
    services: inOrder(containers, current?.facts.services ?? []),
    colours,
    ...(run === undefined ? {} : { run }),
    lastRuns: [...lastRuns],
    backup,
    drift: [...drift],
  };
  return { ...status, concerns: [...findConcerns(status, deps.clock.now())] };
}

function servingStatus(serving: Serving): Status["serving"] {
  const { colour, release, image, since, who, run, previous } = serving;
  return { colour, release, image, since, who, run, ...(previous === undefined ? {} : { rollbackTo: previous.release.id }) };
}

async function colourStatus(deps: StatusDeps, colour: Colour, serving: Serving | undefined): Promise<Status["colours"][number]> {
  const [containers, release] = await Promise.all([deps.docker.containers(`${deps.stack}-${colour}`), readColourRelease(deps.paths, colour)]);
  return { colour, ...(release === undefined ? {} : { release: release.id }), serves: serving?.colour === colour, services: containers.map(serviceStatus) };
}

function inOrder(containers: readonly ContainerState[], order: readonly string[]): ServiceStatus[] {
  const names = [...order, ...containers.map((container) => container.service).filter((service) => !order.includes(service))];
  return [...new Set(names)].map((service) => {
    const container = containers.find((candidate) => candidate.service === service);
    return container === undefined
      ? { service, state: "missing", health: "none", since: "", image: "", restarts: 0, oomKilled: false }
      : serviceStatus(container);
  });
}

function serviceStatus(container: ContainerState): ServiceStatus {
  const { service, state, health, startedAt, image, restartCount, oomKilled } = container;
  return { service, state, health, since: startedAt, image, restarts: restartCount, oomKilled };
}

/** The backup service leaves the second of its last success, and of a failure since, in these files. */
async function readBackup(paths: HostPaths): Promise<Status["backup"]> {
  const [last, lastFailure] = await Promise.all(["last-success", "last-failure"].map((name) => readSecond(join(paths.data, "backup", name))));
  return { ...(last === undefined ? {} : { last }), ...(lastFailure === undefined ? {} : { lastFailure }) };
}

async function readSecond(path: string): Promise<string | undefined> {
  const second = Number((await readIfThere(path))?.trim());
  return Number.isInteger(second) && second > 0 ? new Date(second * 1000).toISOString() : undefined;
}
