import { basename, join, posix } from "node:path";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { COLOURS, type Colour, CONFIG_LABEL, derivedOf, type Stack } from "../blueprint/stack.ts";
import type { ContainerState, Docker } from "../docker/docker.ts";
import { hashOf, sha256 } from "../kernel/canonical.ts";
import type { DerivedImage } from "../release/derived-name.ts";
import { blocks, type HostSystem } from "./host-system.ts";
import { START_SETTINGS } from "./changed-settings.ts";
import type { Materialised } from "./materialise.ts";
import { type PlatformState, platformStatePath, readPlatformState } from "./platform-state.ts";
import { currentStack } from "./stack-store.ts";
import { exists, namesIn, readIfThere, textsIn } from "../kernel/durable-file.ts";
import { fileState } from "./write-files.ts";

export interface ObservedService {
  readonly service: string;
  readonly container: string;
  readonly config: string;
  readonly composeHash: string;
  readonly image: string;
  readonly state: ContainerState["state"];
  readonly health: ContainerState["health"];
}

/** The host as a deploy finds it. Only looked at; nothing is decided here. */
export interface Observed {
  readonly current: string | undefined;
  readonly recorded: PlatformState | undefined;
  /** Hash of platform/compose.yaml as it lies there. */
  readonly composeHash: string | undefined;
  readonly platform: readonly ObservedService[];
  readonly colours: readonly (ObservedService & { readonly colour: Colour })[];
  /** Containers of others that sit in the stack's networks. */
  readonly foreign: readonly { readonly name: string; readonly network: string }[];
  /** Wanted files by their path on the host. */
  readonly missingFiles: readonly string[];
  readonly alteredFiles: readonly string[];
  readonly missingImages: readonly string[];
  readonly missingDerived: readonly DerivedImage[];
  readonly missingDirectories: readonly string[];
  readonly hasTraffic: boolean;
  /** Traefik's file that names the certificate, as it lies there. */
  readonly certificate: string | undefined;
  /** What PostgreSQL takes by a reload, as it lies there: files by their path on the host. */
  readonly settings: Readonly<Record<string, string>>;
  /** What the recorded database was started with. */
  readonly startSettings: string | undefined;
  /** Whether there is a database, and whether it follows another host's. */
  readonly database: "none" | "follows" | "own";
  /** Whether the host gave its plant up to another. */
  readonly isFenced: boolean;
  readonly freeBytes: { readonly images: number; readonly data: number };
  /** Ports that a service, not yet running, needs and another program holds. */
  readonly takenPorts: readonly { readonly service: string; readonly port: number }[];
}

interface Deps {
  readonly docker: Docker;
  readonly host: HostSystem;
  readonly paths: HostPaths;
  readonly isFenced: () => Promise<boolean>;
  /** Where the engine keeps its images. */
  readonly imageDirectory: string;
}

export async function observePlatform(deps: Deps, stack: Stack, desired: Materialised): Promise<Observed> {
  const { docker, paths, host } = deps;
  const name = stack.facts.stack;
  const [all, current, recorded, compose] = await Promise.all([
    docker.allContainers(),
    currentStack(paths),
    readPlatformState(platformStatePath(paths)),
    readIfThere(join(paths.platform, "compose.yaml")),
  ]);
  const own = all.filter((container) => container.labels["com.docker.compose.oneoff"] !== "True");
  const platform = own.filter((container) => container.project === name).map(serviceOf);
  const colours = COLOURS.flatMap((colour) =>
    own.filter((container) => container.project === `${name}-${colour}`).map((container) => ({ colour, ...serviceOf(container) })),
  );
  const states = await Promise.all(desired.files.map(async (file) => ({ path: file.path, state: await fileState(file) })));
  return {
    current,
    recorded,
    composeHash: compose === undefined ? undefined : sha256(compose),
    platform,
    colours,
    foreign: foreignOf(all, name),
    missingFiles: states.filter((file) => file.state === "missing").map((file) => file.path),
    alteredFiles: states.filter((file) => file.state === "altered").map((file) => file.path),
    missingImages: await missingFrom(docker, stack.facts.images, (reference) => reference),
    missingDerived: await missingFrom(docker, derivedOf(stack), ({ image }) => image),
    missingDirectories: await missingDirectories(stack, paths),
    hasTraffic: (await namesIn(paths.trafficDynamic)).some((file) => file !== basename(paths.certificate)),
    certificate: await readIfThere(paths.certificate),
    settings: await textsIn(paths.settings),
    startSettings: await startSettingsOf(recorded),
    database: await databaseOf(paths),
    isFenced: await deps.isFenced(),
    freeBytes: { images: await host.freeBytes(deps.imageDirectory), data: await host.freeBytes(paths.base) },
    takenPorts: await takenPorts(host, platform, desired),
  };
}

/**
 * What a plan rests on: it is refused if this has changed when it is to be run. Health and free space are left out, as they come and go
 * by themselves, and so are derived images: the operator's engine may bring one once the plan is agreed to.
 */
export function basisOf(observed: Observed): string {
  const services = (list: readonly ObservedService[]): unknown => list.map(({ health: _health, ...rest }) => rest);
  const { current, recorded, composeHash, missingFiles, alteredFiles, certificate, settings, database, isFenced } = observed;
  return hashOf({
    current,
    recorded,
    composeHash,
    missingFiles,
    alteredFiles,
    certificate: certificate ?? null,
    settings,
    // A standby that was promoted since, or a host that was fenced, must not be made a copy by a plan of before.
    database,
    isFenced,
    images: observed.missingImages,
    platform: services(observed.platform),
    colours: services(observed.colours),
  });
}

async function startSettingsOf(recorded: PlatformState | undefined): Promise<string | undefined> {
  const path = recorded?.services["database"]?.mounts[START_SETTINGS];
  return path === undefined ? undefined : await readIfThere(path);
}

export function serviceOf(container: ContainerState): ObservedService {
  return {
    service: container.service,
    container: container.id,
    config: container.labels[CONFIG_LABEL] ?? "",
    composeHash: container.labels["com.docker.compose.config-hash"] ?? "",
    image: container.image,
    state: container.state,
    health: container.health,
  };
}

async function databaseOf({ cluster }: HostPaths): Promise<Observed["database"]> {
  if (!(await exists(join(cluster, "PG_VERSION")))) return "none";
  // PostgreSQL itself removes it when it is promoted.
  return (await exists(join(cluster, "standby.signal"))) ? "follows" : "own";
}

function foreignOf(all: readonly ContainerState[], name: string): Observed["foreign"] {
  const projects = [name, ...COLOURS.map((colour) => `${name}-${colour}`)];
  return all
    .filter((container) => !projects.includes(container.project))
    .flatMap((container) => Object.keys(container.addresses).map((network) => ({ name: container.name, network })))
    .filter(({ network }) => network.startsWith(`${name}_`));
}

async function missingFrom<Wanted>(docker: Docker, wanted: readonly Wanted[], nameOf: (one: Wanted) => string): Promise<readonly Wanted[]> {
  const found = await Promise.all(wanted.map(async (one) => ({ one, has: (await docker.image(nameOf(one))) !== undefined })));
  return found.filter(({ has }) => !has).map(({ one }) => one);
}

/** The full path of a directory of the facts, which may be relative to the stack's folder. */
export function directoryPath(paths: HostPaths, path: string): string {
  return posix.isAbsolute(path) ? path : posix.join(paths.base, path);
}

async function missingDirectories(stack: Stack, paths: HostPaths): Promise<readonly string[]> {
  const found = await Promise.all(stack.facts.directories.map(async ({ path }) => ((await exists(directoryPath(paths, path))) ? undefined : path)));
  return found.filter((path) => path !== undefined);
}

async function takenPorts(host: HostSystem, platform: readonly ObservedService[], desired: Materialised): Promise<Observed["takenPorts"]> {
  const wanted = Object.entries(desired.services)
    .filter(([service]) => !platform.some((present) => present.service === service && present.state === "running"))
    .flatMap(([service, { ports }]) => ports.map((port) => ({ service, ...port })));
  if (wanted.length === 0) return [];
  const listeners = await host.listeners();
  return wanted.filter((port) => listeners.some((listener) => blocks(listener, port))).map(({ service, port }) => ({ service, port }));
}
