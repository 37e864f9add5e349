import type { Readable } from "node:stream";
import type { ContainerMemory } from "./container-memory.ts";
import type { LogLine } from "./log-lines.ts";

/** What millwright needs of a Docker engine. Looking goes through the API (dockerode), doing on projects through `Compose`. */
export interface Docker {
  /** Throws DOCKER_DOWN when the engine does not answer. */
  version(): Promise<{ readonly engine: string; readonly api: string; readonly storageDriver: string }>;
  /** All containers of a Compose project, or of one of its services, stopped ones too, sorted by service; without one-off containers of `Compose.run`. */
  containers(project: string, service?: string): Promise<readonly ContainerState[]>;
  /** Every Compose project with containers on the engine, and what is not of any project (project ""). */
  allContainers(): Promise<readonly ContainerState[]>;
  stop(id: string, graceSeconds: number): Promise<void>;
  /** Sends a signal to the container's first process and does not wait; a container that has ended is no error. It is not restarted after that. */
  signal(id: string, name: "SIGTERM"): Promise<void>;
  start(id: string): Promise<void>;
  /** Freezes every process of a container where it is; connections to it stand and wait. */
  pause(id: string): Promise<void>;
  unpause(id: string): Promise<void>;
  remove(id: string): Promise<void>;
  /** The last lines of standard output and standard error in order, without Docker's framing. */
  logs(id: string, lines: number): Promise<readonly string[]>;
  /** What was written after an instant (that of a line, or of `stampOf`), at most the last so many lines. */
  logsSince(id: string, since: string, lines: number): Promise<readonly LogLine[]>;
  /** Undefined when the container does not run. */
  memory(id: string): Promise<ContainerMemory | undefined>;
  /** Throws TIMED_OUT when the program does not end in time; the engine cannot be told to end it. */
  exec(id: string, words: readonly string[], options?: ContainerExecOptions): Promise<{ readonly code: number; readonly output: string }>;
  /** By id, digest reference or tag; undefined when the engine does not have it. */
  image(reference: string): Promise<ImageState | undefined>;
  /** Every image, or those with a label (`name=value`). */
  images(label?: string): Promise<readonly ImageState[]>;
  /** Throws IMAGE_MISSING when neither the mirrors nor the registry have it, TIMED_OUT when nothing of it comes any more. */
  pull(reference: string, options?: PullOptions): Promise<void>;
  /** Index digest of a tag as the registry (through the engine's mirrors) tells it, `sha256:…`. */
  digestOf(reference: string): Promise<string>;
  /** Removes a tag, and the image with its last one; one that a container uses stays. */
  untag(reference: string): Promise<void>;
  tag(imageId: string, reference: string): Promise<void>;
  /** Loads a docker-archive (tar). */
  load(archive: Readable): Promise<void>;
  /** `docker save` of one image as a tar stream. */
  save(imageId: string): Promise<Readable>;
  /** A container of an image, not started, that is removed with all it holds when it is disposed of. */
  workbench(options: WorkbenchOptions): Promise<Workbench>;
}

export interface WorkbenchOptions {
  readonly image: string;
  /** The program, in place of the image's own. */
  readonly words: readonly string[];
  /** `uid:gid`; the image's own when left out. */
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Whether the program reaches a network, or the running container whose network it works on: that one it may change (CAP_NET_ADMIN,
   * as root), where otherwise it has no capability, and once started it leaves nothing behind even if who opened it is killed.
   */
  readonly network: boolean | { readonly of: string };
}

/** A container to put files into, to run its program once, and to take files out of. */
export interface Workbench extends AsyncDisposable {
  /** Unpacks a tar at `/`. */
  put(archive: Readable): Promise<void>;
  /** Runs the program to its end and gives its exit status; output lines as they come. */
  run(onLine: (line: string) => void, signal?: AbortSignal): Promise<number>;
  /** A folder as a tar whose names begin with the folder's own. */
  take(path: string): Promise<Readable>;
}

export interface ContainerExecOptions {
  readonly user?: string;
  readonly input?: string;
  /** Ten minutes unless told otherwise. */
  readonly limitMilliseconds?: number;
  readonly signal?: AbortSignal;
}

export interface PullOptions {
  readonly onProgress?: (text: string, bytes?: PullBytes) => void;
  readonly signal?: AbortSignal;
}

/** Bytes of a pull so far; `total` grows while the engine learns of more layers. */
export interface PullBytes {
  readonly done: number;
  readonly total: number;
}

export interface ContainerState {
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly service: string;
  /** The image as the container's definition names it: `name:tag@sha256:…`, or the image id of a release. */
  readonly image: string;
  readonly state: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
  /** `none` when the container has no health check. */
  readonly health: "none" | "starting" | "healthy" | "unhealthy";
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly restartCount: number;
  readonly startedAt: string;
  /** Pid of the container's first process on the host; 0 when it does not run. */
  readonly pid: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Address in each network, by network name. */
  readonly addresses: Readonly<Record<string, string>>;
}

export interface ImageState {
  /** `sha256:…` of the configuration. */
  readonly id: string;
  readonly digests: readonly string[];
  readonly tags: readonly string[];
  readonly layers: readonly string[];
  readonly sizeBytes: number;
  readonly created: string;
  /** When it last got a tag here: `created` is no guide, as the same content has the same time everywhere. */
  readonly taggedAt: string;
  readonly os: string;
  readonly architecture: string;
  /** Of the processor, such as `v8`; empty for most. */
  readonly variant: string;
  /** What the image gives a container: `Env`, `Entrypoint`, `Labels`, … by the engine's names. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** `docker compose` on one project's folder, which holds a complete compose.yaml. */
export interface Compose {
  /** Creates or recreates the named services (all without names) and returns when they are started; does not wait for health. */
  up(project: string, directory: string, services?: readonly string[]): Promise<void>;
  stop(project: string, directory: string, services: readonly string[], graceSeconds: number): Promise<void>;
  /** Removes containers (and networks the project owns); never volumes. */
  down(project: string, directory: string): Promise<void>;
  /**
   * Starts a one-off container of a service beside the service's own, under that name, and returns at once. Its ports are published on free
   * ports of the loopback address, which opens the way to the container in the engine's own filter.
   */
  runBeside(project: string, directory: string, service: string, name: string, ports: readonly number[]): Promise<void>;
  /** A one-off container of a service, removed afterwards; output lines as they come. */
  run(project: string, directory: string, service: string, words: readonly string[], onLine: (line: string) => void, signal?: AbortSignal): Promise<number>;
  /** Throws STACK_INVALID with Compose's own words when the file is not valid. */
  validate(directory: string): Promise<void>;
}
