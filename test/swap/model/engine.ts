import { parse } from "yaml";
import type { Compose, ContainerState, Docker, ImageState, Workbench } from "../../../src/docker/docker.ts";
import { hashOf } from "../../../src/kernel/canonical.ts";
import { MillwrightError } from "../../../src/kernel/errors.ts";
import type { MachineClock } from "./clock.ts";
import type { Disk } from "./disk.ts";

const RESTART_MILLISECONDS = 200;
/** After so many ends in a row without a good second between them, the model lets a container rest. */
const QUICK_ENDS_AT_MOST = 4;
const GOOD_MILLISECONDS = 1000;
const STOP_MILLISECONDS = 100;
const HEALTHY_MILLISECONDS = 400;

interface Definition {
  readonly image: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly networks?: readonly string[] | Readonly<Record<string, unknown>>;
}

interface ComposeData {
  readonly services: Readonly<Record<string, Definition>>;
  readonly networks?: Readonly<Record<string, { readonly name?: string } | null>>;
}

export interface Container {
  readonly id: string;
  name: string;
  readonly project: string;
  readonly service: string;
  readonly image: string;
  readonly hash: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly networks: readonly string[];
  readonly isOneOff: boolean;
  /** A one-off container that stays when it has ended. */
  isKept: boolean;
  state: "created" | "running" | "restarting" | "exited";
  /** Somebody stopped it: the engine does not start it again by itself. */
  isStopped: boolean;
  /** It was told to end and has not yet. */
  isEnding: boolean;
  exitCode: number;
  oomKilled: boolean;
  restartCount: number;
  /** Ends in a row, each soon after its start. */
  quickEnds: number;
  startedAt: string;
  /** On the machine's own clock. */
  startedElapsed: number;
}

/** What containers do, which depends on what is in them. */
export interface Behaviour {
  /** Exit status with which a container ends as soon as it is started; undefined when it runs on. */
  endsAtOnce(container: Container): number | undefined;
  /** Milliseconds from SIGTERM to its end. */
  endsAfter(container: Container): number;
  exec(container: Container, words: readonly string[], input: string): { readonly code: number; readonly output: string };
  /** A one-off container's work; resolves to its exit status. */
  work(container: Container, words: readonly string[], onLine: (line: string) => void): Promise<number>;
  /** A program's work on the connections of a container's network; resolves to its exit status. */
  cutConnections(container: Container, onLine: (line: string) => void, signal?: AbortSignal): Promise<number>;
}

/**
 * The Docker engine and `docker compose` of a machine. Containers have the restart policy `unless-stopped`. The engine's own records are
 * always on the platter; what Compose does is done in parts, between which its caller may die.
 */
export class Engine {
  readonly containers: Container[] = [];
  readonly images = new Map<string, ImageState>();
  /** What a registry has. */
  readonly registry = new Set<string>();
  isDown = false;
  /** Called after every change. */
  onChange: () => void = () => {};
  readonly #clock: MachineClock;
  readonly #disk: Disk;
  readonly #behaviour: Behaviour;
  #serial = 0;
  /** Rises with each boot: timers of an earlier one have no say. */
  #boot = 0;
  readonly #waiting = new Map<Container, (() => void)[]>();

  constructor(clock: MachineClock, disk: Disk, behaviour: Behaviour) {
    this.#clock = clock;
    this.#disk = disk;
    this.#behaviour = behaviour;
  }

  of(project: string): readonly Container[] {
    return this.containers.filter((container) => container.project === project && !container.isOneOff);
  }

  /** The container of a service, as a caller would find it. */
  service(project: string, service: string): Container | undefined {
    return this.of(project)
      .filter((container) => container.service === service)
      .sort(byName)[0];
  }

  /** It ends by itself, or for want of memory. */
  crash(container: Container, oomKilled: boolean): void {
    if (container.state !== "running") return;
    container.oomKilled = oomKilled;
    this.#end(container, 137);
  }

  /** The machine goes down: containers end, and those that nobody had stopped come back with it. */
  goDown(): void {
    this.#boot += 1;
    this.isDown = true;
    for (const container of this.containers) {
      if (!isUp(container)) continue;
      const isToComeBack = !container.isStopped && !container.isOneOff;
      Object.assign(container, { state: isToComeBack ? "restarting" : "exited", exitCode: 137, isEnding: false, restartCount: 0 });
      this.#tellEnd(container);
    }
    for (const container of this.containers.filter(({ isOneOff, isKept }) => isOneOff && !isKept)) this.#forget(container);
  }

  comeUp(): void {
    this.isDown = false;
    for (const container of this.containers) {
      if (container.state !== "restarting") continue;
      Object.assign(container, { restartCount: 0, quickEnds: 0 });
      this.#run(container);
    }
  }

  copyFrom(other: Engine): void {
    this.containers.splice(0, Infinity, ...other.containers.map((container) => ({ ...container })));
    this.images.clear();
    for (const [id, image] of other.images) this.images.set(id, image);
    for (const reference of other.registry) this.registry.add(reference);
    this.#serial = other.#serial;
  }

  /** The engine's API without anything that could befall a call. `part` comes between the parts of a call. */
  docker(part: () => void): Docker {
    const find = (id: string): Container => {
      const container = this.containers.find((candidate) => candidate.id === id);
      if (container === undefined) throw new MillwrightError("DOCKER_FAILED", `no such container: ${id}`, { subject: id });
      return container;
    };
    const api: Partial<Docker> = {
      version: async () => ({ engine: "29.0.0", api: "1.52", storageDriver: "overlay2" }),
      containers: async (project, service) =>
        this.of(project)
          .map(this.#stateOf)
          .filter((state) => (service ?? state.service) === state.service)
          .sort(byName),
      allContainers: async () => this.containers.map(this.#stateOf).sort(byName),
      stop: async (id, graceSeconds) => {
        const container = find(id);
        if (!isUp(container)) return;
        this.#askToEnd(container, graceSeconds * 1000);
        part();
        await this.#ended(container);
      },
      signal: async (id) => {
        const container = find(id);
        if (isUp(container)) this.#askToEnd(container, Number.POSITIVE_INFINITY);
      },
      start: async (id) => {
        const container = find(id);
        // To the engine one that waits for its restart is running.
        if (!isUp(container)) this.#start(container);
      },
      remove: async (id) => {
        const container = this.containers.find((candidate) => candidate.id === id);
        if (container === undefined) return;
        if (container.state === "running") throw new MillwrightError("DOCKER_FAILED", "cannot remove a running container", { subject: id });
        this.#forget(container);
      },
      logs: async (id) => [`log of ${find(id).service}`],
      logsSince: async () => [],
      memory: async (id) => (find(id).state === "running" ? { usedBytes: 300 * 1024 ** 2, limitBytes: 1024 ** 3 } : undefined),
      exec: async (id, words, options = {}) => {
        const container = find(id);
        if (container.state !== "running") throw new MillwrightError("DOCKER_FAILED", "container is not running", { subject: id });
        return this.#behaviour.exec(container, words, options.input ?? "");
      },
      // The engine removes it when its program ends, whoever has died meanwhile.
      workbench: async ({ network }) => {
        const container = find(typeof network === "object" ? network.of : "");
        part();
        const bench: Partial<Workbench> = {
          run: async (onLine, signal) => await this.#behaviour.cutConnections(container, onLine, signal),
          [Symbol.asyncDispose]: async () => {},
        };
        return bench as Workbench;
      },
      image: async (reference) => this.#image(reference),
      images: async () => [...this.images.values()],
      untag: async (reference) => {
        const image = [...this.images.values()].find(({ tags }) => tags.includes(reference));
        if (image === undefined) return;
        const tags = image.tags.filter((tag) => tag !== reference);
        const isUsed = this.containers.some((container) => container.image === image.id);
        if (tags.length > 0 || isUsed) this.images.set(image.id, { ...image, tags });
        else this.images.delete(image.id);
      },
      pull: async (reference) => {
        if (!this.registry.has(reference)) throw new MillwrightError("IMAGE_MISSING", `${reference} is nowhere.`, { subject: reference });
        part();
        this.#needRoom(reference);
        this.addImage(reference);
      },
    };
    // What the model has no answer to fails where it is called.
    return api as Docker;
  }

  /** `docker compose`, a program that works in parts and dies with its caller. */
  compose(part: () => void): Compose {
    return {
      up: async (project, directory, services = []) => {
        const document = this.#document(directory);
        for (const service of services.length === 0 ? Object.keys(document.services) : services) await this.#converge(project, service, document, part);
      },
      stop: async (project, _directory, services, graceSeconds) => {
        for (const container of this.of(project).filter(({ service }) => services.includes(service))) {
          if (container.state === "running") this.#askToEnd(container, graceSeconds * 1000);
          part();
          await this.#ended(container);
        }
      },
      down: async (project) => {
        // One-off containers too.
        for (const container of this.containers.filter((candidate) => candidate.project === project)) {
          await this.#removeWhole(container, part);
          part();
        }
      },
      run: async (project, directory, service, words, onLine, signal) => {
        const document = this.#document(directory);
        const container = this.#create(project, service, definitionOf(document, service), document, true);
        part();
        this.#run(container);
        part();
        const work = async (): Promise<void> => {
          const code = await this.#behaviour.work(container, words, onLine);
          if (container.state === "running") this.#end(container, code);
        };
        const onAbort = (): void => this.#askToEnd(container, STOP_MILLISECONDS);
        signal?.addEventListener("abort", onAbort, { once: true });
        await Promise.race([work(), this.#ended(container)]);
        signal?.removeEventListener("abort", onAbort);
        signal?.throwIfAborted();
        return container.exitCode;
      },
      runBeside: async (project, directory, service, name) => {
        const document = this.#document(directory);
        const container = this.#create(project, service, definitionOf(document, service), document, true);
        container.name = name;
        container.isKept = true;
        part();
        this.#run(container);
      },
      validate: async (directory) => void this.#document(directory),
    };
  }

  /** A release's image, with the tag that keeps it; earlier than those that are there. */
  addRelease(id: string, tag: string): void {
    this.addImage(id);
    const image = this.images.get(id);
    if (image !== undefined) this.images.set(id, { ...image, tags: [tag], taggedAt: String(1000 - this.images.size) });
  }

  addImage(reference: string): void {
    const isId = reference.startsWith("sha256:");
    const id = isId ? reference : `sha256:${hashOf(reference)}`;
    const image: Partial<ImageState> = { id, digests: isId ? [] : [reference], tags: [], layers: [id], sizeBytes: 1000, taggedAt: "" };
    this.images.set(id, image as ImageState);
  }

  #image(reference: string): ImageState | undefined {
    return this.images.get(reference) ?? [...this.images.values()].find((image) => image.digests.includes(reference));
  }

  async #converge(project: string, service: string, document: ComposeData, part: () => void): Promise<void> {
    const definition = definitionOf(document, service);
    if (this.#image(definition.image) === undefined) {
      throw new MillwrightError("IMAGE_MISSING", `The host does not have the image: ${definition.image}`, { subject: service });
    }
    const hash = hashOf(definition);
    const present = this.of(project).filter((container) => container.service === service);
    // What a cut-off call has left beside the right one goes first.
    const [kept, ...surplus] = [...present.filter((container) => container.hash === hash), ...present.filter((container) => container.hash !== hash)];
    for (const container of surplus) {
      await this.#removeWhole(container, part);
      part();
    }
    if (kept?.hash === hash) {
      kept.name = nameOf(project, service);
      if (kept.state === "created" || kept.state === "exited") this.#start(kept);
      return;
    }
    const made = this.#create(project, service, definition, document, false);
    if (kept !== undefined) {
      made.name = `${made.id}_${nameOf(project, service)}`;
      this.onChange();
      part();
      await this.#removeWhole(kept, part);
      part();
      made.name = nameOf(project, service);
    }
    part();
    this.#start(made);
  }

  #start(container: Container): void {
    this.#needRoom(container.service);
    Object.assign(container, { restartCount: 0, quickEnds: 0 });
    this.#run(container);
  }

  async #removeWhole(container: Container, part: () => void): Promise<void> {
    if (isUp(container)) {
      this.#askToEnd(container, 10_000);
      part();
      await this.#ended(container);
      part();
    }
    this.#forget(container);
  }

  #create(project: string, service: string, definition: Definition, document: ComposeData, isOneOff: boolean): Container {
    this.#needRoom(service);
    this.#serial += 1;
    const id = `c${String(this.#serial).padStart(4, "0")}`;
    const hash = hashOf(definition);
    const names = Array.isArray(definition.networks) ? (definition.networks as readonly string[]) : Object.keys(definition.networks ?? {});
    const container: Container = {
      id,
      name: isOneOff ? `${project}-${service}-run-${id}` : nameOf(project, service),
      project,
      service,
      image: definition.image,
      hash,
      labels: {
        ...definition.labels,
        "com.docker.compose.project": project,
        "com.docker.compose.service": service,
        "com.docker.compose.config-hash": hash,
        "com.docker.compose.oneoff": isOneOff ? "True" : "False",
      },
      networks: names.map((name) => document.networks?.[name]?.name ?? name),
      isOneOff,
      isKept: false,
      state: "created",
      isStopped: false,
      isEnding: false,
      exitCode: 0,
      oomKilled: false,
      restartCount: 0,
      quickEnds: 0,
      startedAt: "0001-01-01T00:00:00Z",
      startedElapsed: 0,
    };
    this.containers.push(container);
    this.onChange();
    return container;
  }

  #run(container: Container): void {
    const startedAt = new Date(this.#clock.now()).toISOString();
    Object.assign(container, { state: "running", isStopped: false, isEnding: false, exitCode: 0, oomKilled: false, startedAt });
    container.startedElapsed = this.#clock.elapsed;
    this.onChange();
    const code = container.isOneOff ? undefined : this.#behaviour.endsAtOnce(container);
    if (code !== undefined) this.#end(container, code);
  }

  #askToEnd(container: Container, graceMilliseconds: number): void {
    const wasEnding = container.isEnding;
    container.isStopped = true;
    if (container.state === "restarting") {
      this.#end(container, container.exitCode);
      return;
    }
    container.isEnding = true;
    // At a second SIGTERM Odoo drops what it is ending.
    const endsIn = wasEnding ? STOP_MILLISECONDS : Math.min(this.#behaviour.endsAfter(container), graceMilliseconds);
    const started = container.startedElapsed;
    const boot = this.#boot;
    this.onChange();
    if (!Number.isFinite(endsIn)) return;
    this.#clock.after(endsIn, () => {
      if (boot === this.#boot && container.state === "running" && container.isEnding && container.startedElapsed === started) this.#end(container, 0);
    });
  }

  #end(container: Container, exitCode: number): void {
    Object.assign(container, { exitCode, isEnding: false });
    if (container.isOneOff) {
      container.state = "exited";
      if (container.isKept) this.#tellEnd(container);
      else this.#forget(container);
      return;
    }
    const wasGood = this.#clock.elapsed - container.startedElapsed >= GOOD_MILLISECONDS;
    container.quickEnds = wasGood ? 0 : container.quickEnds + 1;
    container.state = container.isStopped ? "exited" : "restarting";
    this.#tellEnd(container);
    this.onChange();
    if (container.state !== "restarting" || container.quickEnds > QUICK_ENDS_AT_MOST) return;
    const boot = this.#boot;
    this.#clock.after(RESTART_MILLISECONDS, () => {
      if (boot !== this.#boot || container.state !== "restarting" || !this.containers.includes(container)) return;
      container.restartCount += 1;
      this.#run(container);
    });
  }

  #forget(container: Container): void {
    const index = this.containers.indexOf(container);
    if (index !== -1) this.containers.splice(index, 1);
    this.#tellEnd(container);
    this.onChange();
  }

  async #ended(container: Container): Promise<void> {
    if (container.state !== "running" || !this.containers.includes(container)) return;
    await new Promise<void>((resolve) => this.#waiting.set(container, [...(this.#waiting.get(container) ?? []), resolve]));
  }

  #tellEnd(container: Container): void {
    for (const resolve of this.#waiting.get(container) ?? []) resolve();
    this.#waiting.delete(container);
  }

  readonly #stateOf = (container: Container): ContainerState => {
    const { id, name, project, service, image, state, exitCode, oomKilled, restartCount, startedAt, labels } = container;
    const isRunning = state === "running";
    const number = Number(id.slice(1));
    const addresses = container.networks.map((network, index) => [network, isRunning ? `10.${index}.${Math.floor(number / 250)}.${(number % 250) + 1}` : ""]);
    return {
      id,
      name,
      project,
      service,
      image,
      state,
      health: !isRunning ? "unhealthy" : this.#clock.elapsed - container.startedElapsed >= HEALTHY_MILLISECONDS ? "healthy" : "starting",
      exitCode,
      oomKilled,
      restartCount,
      startedAt,
      pid: isRunning ? 1000 + number : 0,
      labels,
      addresses: Object.fromEntries(addresses) as Readonly<Record<string, string>>,
    };
  };

  #document(directory: string): ComposeData {
    const text = this.#disk.text(`${directory}/compose.yaml`);
    if (text === undefined) throw new MillwrightError("COMPOSE_FAILED", "there is no compose.yaml", { subject: directory });
    return parse(text) as ComposeData;
  }

  #needRoom(subject: string): void {
    if (this.#disk.isFull) throw new MillwrightError("DISK_FULL", "no space left on device", { subject });
  }
}

function isUp(container: Container): boolean {
  return container.state === "running" || container.state === "restarting";
}

function definitionOf(document: ComposeData, service: string): Definition {
  const definition = document.services[service];
  if (definition === undefined) throw new MillwrightError("COMPOSE_FAILED", `no such service: ${service}`, { subject: service });
  return definition;
}

function nameOf(project: string, service: string): string {
  return `${project}-${service}-1`;
}

function byName(a: { readonly project: string; readonly service: string; readonly name: string }, b: typeof a): number {
  return a.project + a.service + a.name < b.project + b.service + b.name ? -1 : 1;
}
