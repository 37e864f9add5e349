import type { Readable } from "node:stream";

/** What millwright needs of a Docker engine. Looking goes through the API (dockerode), doing on projects through `Compose`. */
export interface Docker {
  /** Throws DOCKER_DOWN when the engine does not answer. */
  version(): Promise<{ readonly engine: string; readonly api: string; readonly storageDriver: string }>;
  /** All containers of a Compose project, stopped ones too, sorted by service; without one-off containers of `Compose.run`. */
  containers(project: string): Promise<readonly ContainerState[]>;
  /** Every Compose project with containers on the engine, and what is not of any project (project ""). */
  allContainers(): Promise<readonly ContainerState[]>;
  stop(id: string, graceSeconds: number): Promise<void>;
  start(id: string): Promise<void>;
  remove(id: string): Promise<void>;
  /** The last lines of standard output and standard error in order, without Docker's framing. */
  logs(id: string, lines: number): Promise<readonly string[]>;
  exec(
    id: string,
    words: readonly string[],
    options?: { readonly user?: string; readonly input?: string },
  ): Promise<{ readonly code: number; readonly output: string }>;
  /** By id, digest reference or tag; undefined when the engine does not have it. */
  image(reference: string): Promise<ImageState | undefined>;
  images(): Promise<readonly ImageState[]>;
  /** Throws IMAGE_MISSING when neither the mirrors nor the registry have it. */
  pull(reference: string, onProgress?: (text: string, bytes?: PullBytes) => void): Promise<void>;
  /** Index digest of a tag as the registry (through the engine's mirrors) tells it, `sha256:…`. */
  digestOf(reference: string): Promise<string>;
  tag(imageId: string, reference: string): Promise<void>;
  /** Loads a docker-archive (tar). */
  load(archive: Readable): Promise<void>;
  /** `docker save` of one image as a tar stream. */
  save(imageId: string): Promise<Readable>;
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
  readonly user: string;
}

/** `docker compose` on one project's folder, which holds a complete compose.yaml. */
export interface Compose {
  /** Creates or recreates the named services (all without names) and returns when they are started; does not wait for health. */
  up(project: string, directory: string, services?: readonly string[]): Promise<void>;
  stop(project: string, directory: string, services: readonly string[], graceSeconds: number): Promise<void>;
  /** Removes containers (and networks the project owns); never volumes. */
  down(project: string, directory: string): Promise<void>;
  /** A one-off container of a service, removed afterwards; output lines as they come. */
  run(project: string, directory: string, service: string, words: readonly string[], onLine: (line: string) => void, signal?: AbortSignal): Promise<number>;
  /** Throws STACK_INVALID with Compose's own words when the file is not valid. */
  validate(directory: string): Promise<void>;
}
