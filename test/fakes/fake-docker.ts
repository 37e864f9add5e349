import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { parse } from "yaml";
import type { ContainerMemory } from "../../src/docker/container-memory.ts";
import { type LogLine, stampOf } from "../../src/docker/log-lines.ts";
import type { Compose, ContainerState, Docker, ImageState, PullOptions, Workbench, WorkbenchOptions } from "../../src/docker/docker.ts";
import { hashOf, sha256 } from "../../src/kernel/canonical.ts";
import type { Clock } from "../../src/kernel/clock.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { benchOf, type FakeFiles, type FakeRun, untar } from "./fake-engine.ts";

/** How the containers of a service behave; what is not said is healthy at once. */
export interface Behaviour {
  /** Milliseconds from start until the health check passes. */
  readonly healthyAfter?: number;
  /** What the health check comes to. */
  readonly health?: "healthy" | "unhealthy" | "none";
  /** The container ends with this code as soon as it starts. */
  readonly exits?: number;
  /** Milliseconds that it goes on after SIGTERM. */
  readonly endsAfter?: number;
  readonly logs?: readonly string[];
  /** Memory that its processes hold; the limit is 1 GiB. */
  readonly usedBytes?: number;
}

interface Definition {
  readonly image: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly networks?: readonly string[] | Readonly<Record<string, unknown>>;
}

interface FakeContainer {
  id: string;
  name?: string;
  project: string;
  service: string;
  definition: Definition;
  composeHash: string;
  state: ContainerState["state"];
  exitCode: number;
  restartCount: number;
  startedAt: number;
  endsAt?: number | undefined;
  networks: readonly string[];
  labels: Record<string, string>;
}

export interface FakeExec {
  readonly container: string;
  readonly service: string;
  readonly project: string;
  readonly words: readonly string[];
  readonly input: string;
}

/**
 * A Docker engine and `docker compose` in memory, with state: it reads the real compose.yaml, recreates a service when its definition has
 * changed and never otherwise, and lets health come with the given clock. Every call that changes something is in `calls`; `beforeCall`
 * may throw to play a cut at that point.
 */
export class FakeDocker implements Docker, Compose {
  readonly calls: string[] = [];
  readonly execs: FakeExec[] = [];
  readonly imageStates = new Map<string, ImageState>();
  /** What a registry would have, by reference. */
  readonly registry = new Map<string, ImageState>();
  readonly behaviours = new Map<string, Behaviour>();
  beforeCall: (call: string) => void = () => {};
  onExec: (exec: FakeExec) => { readonly code: number; readonly output: string } = () => ({ code: 0, output: "" });
  onRun: (service: string, words: readonly string[], onLine: (line: string) => void) => number = () => 0;
  /** What a program does that works on a container's network; its exit status. */
  onNetworkProgram: (options: WorkbenchOptions, onLine: (line: string) => void, signal?: AbortSignal) => Promise<number> = async () => 0;
  /** What a program does in a container of an image that is there for it alone; its exit status. */
  onBuild: (run: FakeRun) => number = () => 0;
  onValidate: (directory: string) => void = () => {};

  readonly #containers = new Map<string, FakeContainer>();
  readonly #said: (LogLine & { readonly project: string; readonly service: string })[] = [];
  readonly #clock: Clock;
  #serial = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Behaviour of a service in every project, of one project as `project/service`, or of all containers of an image. */
  behave(service: string, behaviour: Behaviour): void {
    this.behaviours.set(service, behaviour);
  }

  addImage(reference: string, state: Partial<ImageState> = {}): ImageState {
    const image = fakeImage(reference, state);
    this.imageStates.set(image.id, image);
    return image;
  }

  addToRegistry(reference: string, state: Partial<ImageState> = {}): void {
    this.registry.set(reference, fakeImage(reference, state));
  }

  /** A container that no compose.yaml of ours made. */
  addContainer(options: {
    readonly project: string;
    readonly service: string;
    readonly image?: string;
    readonly labels?: Record<string, string>;
    readonly networks?: readonly string[];
  }): string {
    const { project, service, image = "busybox", labels = {}, networks = [] } = options;
    return this.#create(project, service, { image, labels }, networks).id;
  }

  async version(): Promise<{ readonly engine: string; readonly api: string; readonly storageDriver: string }> {
    return { engine: "26.1.5", api: "1.45", storageDriver: "overlay2" };
  }

  async containers(project: string, service?: string): Promise<readonly ContainerState[]> {
    const all = (await this.allContainers()).filter((container) => container.project === project && (service ?? container.service) === container.service);
    return all.filter((container) => container.labels["com.docker.compose.oneoff"] !== "True");
  }

  async allContainers(): Promise<readonly ContainerState[]> {
    for (const container of this.#containers.values()) if (container.endsAt !== undefined && container.endsAt <= this.#clock.now()) this.#halt(container, 0);
    return [...this.#containers.values()].map((container) => this.#stateOf(container)).sort((a, b) => (a.service + a.id < b.service + b.id ? -1 : 1));
  }

  stop(id: string, graceSeconds: number): Promise<void>;
  stop(project: string, directory: string, services: readonly string[], graceSeconds: number): Promise<void>;
  async stop(first: string, _second: number | string, services?: readonly string[]): Promise<void> {
    if (services === undefined) {
      this.#halt(this.#get(first), 0);
      return;
    }
    for (const container of this.#of(first)) if (services.includes(container.service)) this.#halt(container, 0);
  }

  async signal(id: string, name: string): Promise<void> {
    const container = this.#get(id);
    if (container.state !== "running") return;
    this.#note(`${name} ${container.project}/${container.service}`);
    // As Odoo does: a second one is no longer answered in peace.
    const { endsAfter = 0 } = this.#behaviourOf(container);
    container.endsAt = container.endsAt === undefined ? this.#clock.now() + endsAfter : this.#clock.now();
  }

  async pause(id: string): Promise<void> {
    const container = this.#get(id);
    this.#note(`pause ${container.project}/${container.service}`);
    if (container.state === "running") container.state = "paused";
  }

  async unpause(id: string): Promise<void> {
    const container = this.#get(id);
    this.#note(`unpause ${container.project}/${container.service}`);
    if (container.state === "paused") container.state = "running";
  }

  async start(id: string): Promise<void> {
    const container = this.#get(id);
    if (container.state === "running") return;
    this.#note(`start ${container.project}/${container.service}`);
    this.#run(container);
  }

  async remove(id: string): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined) return;
    if (container.state === "running") throw new MillwrightError("DOCKER_FAILED", "cannot remove a running container", { subject: id });
    this.#note(`remove ${container.project}/${container.service}`);
    this.#containers.delete(id);
  }

  async logs(id: string, lines: number): Promise<readonly string[]> {
    return (this.#behaviourOf(this.#get(id)).logs ?? []).slice(-lines);
  }

  async logsSince(id: string, since: string, lines: number): Promise<readonly LogLine[]> {
    const container = this.#get(id);
    return this.#said.filter((line) => line.service === container.service && line.project === container.project && line.at > since).slice(-lines);
  }

  async memory(id: string): Promise<ContainerMemory | undefined> {
    const container = this.#get(id);
    if (container.state !== "running") return undefined;
    return { usedBytes: this.#behaviourOf(container).usedBytes ?? 300 * 1024 ** 2, limitBytes: 1024 ** 3 };
  }

  /** A container writes to its log now. */
  say(project: string, service: string, text: string): void {
    this.#said.push({ project, service, text, at: stampOf(this.#clock.now()) });
  }

  async exec(id: string, words: readonly string[], options: { readonly input?: string } = {}): Promise<{ readonly code: number; readonly output: string }> {
    const { service, project, state } = this.#get(id);
    if (state !== "running") throw new MillwrightError("DOCKER_FAILED", "container is not running", { subject: id });
    const exec = { container: id, service, project, words, input: options.input ?? "" };
    this.#note(`exec ${project}/${service} ${words[0] ?? ""}`);
    this.execs.push(exec);
    return this.onExec(exec);
  }

  async image(reference: string): Promise<ImageState | undefined> {
    return [...this.imageStates.values()].find(
      (image) => image.id === reference || image.tags.includes(reference) || image.digests.includes(withoutTag(reference)),
    );
  }

  async images(label?: string): Promise<readonly ImageState[]> {
    const [name = "", value] = label?.split("=") ?? [];
    return [...this.imageStates.values()].filter((image) => label === undefined || (image.config["Labels"] as Record<string, string> | null)?.[name] === value);
  }

  async pull(reference: string, { onProgress = () => {} }: PullOptions = {}): Promise<void> {
    this.#note(`pull ${reference}`);
    const image = this.registry.get(reference);
    if (image === undefined) throw new MillwrightError("IMAGE_MISSING", `${reference} is in neither the mirrors nor the registry.`, { subject: reference });
    onProgress("Downloading", { done: image.sizeBytes, total: image.sizeBytes });
    this.imageStates.set(image.id, image);
  }

  async digestOf(reference: string): Promise<string> {
    const digest = (this.registry.get(reference) ?? (await this.image(reference)))?.digests[0]?.split("@")[1];
    if (digest === undefined) throw new MillwrightError("IMAGE_MISSING", `${reference} is in neither the mirrors nor the registry.`, { subject: reference });
    return digest;
  }

  async untag(reference: string): Promise<void> {
    const image = await this.image(reference);
    if (image === undefined) return;
    const tags = image.tags.filter((tag) => tag !== reference);
    this.#note(`untag ${reference}`);
    if (tags.length === 0) this.imageStates.delete(image.id);
    else this.imageStates.set(image.id, { ...image, tags });
  }

  async tag(imageId: string, reference: string): Promise<void> {
    const image = await this.image(imageId);
    if (image === undefined) throw new MillwrightError("DOCKER_FAILED", `no such image: ${imageId}`);
    this.#note(`tag ${reference}`);
    this.imageStates.set(image.id, { ...image, tags: [...image.tags, reference] });
  }

  /** Takes an archive of ours, or the JSON of an ImageState as `save` makes it. */
  async load(archive: Readable): Promise<void> {
    const bytes = await buffer(archive);
    const image = bytes[0] === "{".charCodeAt(0) ? (JSON.parse(bytes.toString("utf8")) as ImageState) : await imageOf(bytes);
    this.#note(`load ${image.id}`);
    this.imageStates.set(image.id, image);
  }

  async workbench(options: WorkbenchOptions): Promise<Workbench> {
    if (typeof options.network !== "object") {
      const files: FakeFiles = new Map();
      const program = { ...options, network: options.network };
      this.#note("workbench");
      return { ...benchOf(files, (onLine) => this.onBuild({ options: program, files, onLine })), [Symbol.asyncDispose]: async () => {} };
    }
    const noFiles = async (): Promise<never> => {
      throw new Error("FakeDocker has no files in a container that works on a network.");
    };
    const { project, service } = this.#get(options.network.of);
    this.#note(`workbench on ${project}/${service}`);
    return {
      put: noFiles,
      take: noFiles,
      run: async (onLine, signal) => await this.onNetworkProgram(options, onLine, signal),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  async save(imageId: string): Promise<Readable> {
    return Readable.from([Buffer.from(JSON.stringify(await this.image(imageId)))]);
  }

  async up(project: string, directory: string, services: readonly string[] = []): Promise<void> {
    const document = await readCompose(directory);
    const names = services.length === 0 ? Object.keys(document.services) : services;
    for (const service of names) {
      const definition = document.services[service];
      if (definition === undefined) throw new MillwrightError("COMPOSE_FAILED", `no such service: ${service}`, { subject: service });
      if ((await this.image(definition.image)) === undefined)
        throw new MillwrightError("IMAGE_MISSING", `The host does not have the image: ${definition.image}`, { subject: service });
      const present = this.#of(project).find((container) => container.service === service && container.name === undefined);
      if (present !== undefined && present.composeHash === hashOf(definition)) {
        if (present.state !== "running") {
          this.#note(`start ${project}/${service}`);
          this.#run(present);
        }
        continue;
      }
      this.#note(`${present === undefined ? "create" : "recreate"} ${project}/${service}`);
      if (present !== undefined) this.#containers.delete(present.id);
      this.#create(project, service, definition, networksOf(document, definition));
    }
  }

  async down(project: string): Promise<void> {
    this.#note(`down ${project}`);
    for (const container of this.#of(project)) this.#containers.delete(container.id);
  }

  async run(project: string, _directory: string, service: string, words: readonly string[], onLine: (line: string) => void): Promise<number> {
    this.#note(`run ${project}/${service} ${words.join(" ")}`);
    return this.onRun(service, words, onLine);
  }

  async runBeside(project: string, directory: string, service: string, name: string, ports: readonly number[]): Promise<void> {
    const document = await readCompose(directory);
    const definition = document.services[service];
    if (definition === undefined) throw new MillwrightError("COMPOSE_FAILED", `no such service: ${service}`, { subject: service });
    this.#note(`run ${name} ${ports.join(" ")}`);
    const labels = { ...definition.labels, "com.docker.compose.oneoff": "True" };
    Object.assign(this.#create(project, service, { ...definition, labels }, networksOf(document, definition)), { name });
  }

  async validate(directory: string): Promise<void> {
    await readCompose(directory);
    this.onValidate(directory);
  }

  /** Plays an accident: the container ends by itself. */
  crash(project: string, service: string, exitCode = 1): void {
    for (const container of this.#of(project)) {
      if (container.service === service) Object.assign(container, { state: "exited", exitCode });
    }
  }

  #create(project: string, service: string, definition: Definition, networks: readonly string[]): FakeContainer {
    this.#serial += 1;
    const composeHash = hashOf(definition);
    const container: FakeContainer = {
      id: `container${String(this.#serial).padStart(4, "0")}`,
      project,
      service,
      definition,
      composeHash,
      state: "created",
      exitCode: 0,
      restartCount: 0,
      startedAt: 0,
      networks,
      labels: {
        ...definition.labels,
        "com.docker.compose.project": project,
        "com.docker.compose.service": service,
        "com.docker.compose.config-hash": composeHash,
      },
    };
    this.#containers.set(container.id, container);
    this.#run(container);
    return container;
  }

  #run(container: FakeContainer): void {
    const { exits } = this.#behaviourOf(container);
    Object.assign(container, exits === undefined ? { state: "running", exitCode: 0 } : { state: "exited", exitCode: exits });
    container.startedAt = this.#clock.now();
    container.endsAt = undefined;
  }

  #halt(container: FakeContainer, exitCode: number): void {
    if (container.state !== "running") return;
    this.#note(`stop ${container.project}/${container.service}`);
    Object.assign(container, { state: "exited", exitCode });
  }

  #behaviourOf(container: FakeContainer): Behaviour {
    return (
      this.behaviours.get(container.definition.image) ??
      this.behaviours.get(`${container.project}/${container.service}`) ??
      this.behaviours.get(container.service) ??
      {}
    );
  }

  #stateOf(container: FakeContainer): ContainerState {
    const { healthyAfter = 0, health = "healthy" } = this.#behaviourOf(container);
    const isDecided = this.#clock.now() - container.startedAt >= healthyAfter;
    const isRunning = container.state === "running";
    return {
      id: container.id,
      name: container.name ?? `${container.project}-${container.service}-1`,
      project: container.project,
      service: container.service,
      image: container.definition.image,
      state: container.state,
      health: health === "none" ? "none" : !isRunning ? "unhealthy" : isDecided ? health : "starting",
      exitCode: container.exitCode,
      oomKilled: false,
      restartCount: container.restartCount,
      startedAt: new Date(container.startedAt).toISOString(),
      pid: isRunning ? 1000 + Number(container.id.slice(-4)) : 0,
      labels: container.labels,
      addresses: Object.fromEntries(
        container.networks.map((network, index) => [network, isRunning ? `10.213.${index}.${Number(container.id.slice(-4)) + 1}` : ""]),
      ),
    };
  }

  #of(project: string): readonly FakeContainer[] {
    return [...this.#containers.values()].filter((container) => container.project === project);
  }

  #get(id: string): FakeContainer {
    const container = this.#containers.get(id);
    if (container === undefined) throw new MillwrightError("DOCKER_FAILED", `no such container: ${id}`, { subject: id });
    return container;
  }

  #note(call: string): void {
    this.beforeCall(call);
    this.calls.push(call);
  }
}

interface ComposeData {
  readonly services: Readonly<Record<string, Definition>>;
  readonly networks?: Readonly<Record<string, { readonly name?: string } | null>>;
}

async function readCompose(directory: string): Promise<ComposeData> {
  return parse(await readFile(join(directory, "compose.yaml"), "utf8")) as ComposeData;
}

function networksOf(document: ComposeData, definition: Definition): readonly string[] {
  const names = Array.isArray(definition.networks) ? (definition.networks as readonly string[]) : Object.keys(definition.networks ?? {});
  return names.map((name) => document.networks?.[name]?.name ?? name);
}

async function imageOf(archive: Buffer): Promise<ImageState> {
  const files = await untar(Readable.from([archive]));
  const text = (name: string): string => files.get(name)?.content.toString("utf8") ?? "";
  const [manifest] = JSON.parse(text("manifest.json")) as { readonly Config: string }[];
  const config = text(manifest?.Config ?? "");
  const { rootfs, ...told } = JSON.parse(config) as { readonly config: ImageState["config"]; readonly rootfs: { readonly diff_ids: readonly string[] } };
  return fakeImage(`sha256:${sha256(config)}`, { layers: rootfs.diff_ids, config: told.config });
}

function withoutTag(reference: string): string {
  return reference.replace(/:[^:/@]+@/, "@");
}

function fakeImage(reference: string, state: Partial<ImageState>): ImageState {
  const isId = reference.startsWith("sha256:");
  const hasDigest = !isId && reference.includes("@");
  return {
    id: isId ? reference : `sha256:${hashOf(withoutTag(reference))}`,
    digests: hasDigest ? [withoutTag(reference)] : isId ? [] : [`${reference.replace(/:[^:/]+$/, "")}@sha256:${hashOf(reference)}`],
    tags: isId || hasDigest ? [] : [reference],
    layers: [`sha256:${hashOf(["layer", reference])}`],
    sizeBytes: 100_000_000,
    created: "2026-11-01T00:00:00Z",
    taggedAt: "2026-11-01T00:00:00Z",
    os: "linux",
    architecture: "amd64",
    variant: "",
    config: {},
    ...state,
  };
}
