import { basename, posix } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { extract, type Header, pack } from "tar-stream";
import { sha256 } from "../../src/kernel/canonical.ts";
import type { ImageStore, StoredImage, Workbench, WorkbenchOptions } from "../../src/release/image-store.ts";

export interface FakeFile {
  readonly header: Pick<Header, "name"> & Partial<Header>;
  readonly content: Buffer;
}

/** Paths without the leading slash. */
export type FakeFiles = Map<string, FakeFile>;

export interface FakeRun {
  readonly options: WorkbenchOptions;
  readonly files: FakeFiles;
  readonly onLine: (line: string) => void;
}

/**
 * A Docker engine in memory, as far as images go: layers are chains, `load` looks a chain up before it opens a layer's file and names an
 * image by its configuration, a container has the files of its image's layers, and folders come out of it in the order of Go's WalkDir.
 */
export class FakeEngine implements ImageStore {
  driver = "overlay2";
  /** What a program in a workbench does; its exit status. */
  onRun: (run: FakeRun) => number = () => 0;
  /** Layer files that each `load` has brought. */
  readonly brought: (readonly string[])[] = [];
  /** Workbenches that are not disposed of. */
  open = 0;
  saves = 0;
  readonly #images = new Map<string, StoredImage>();
  readonly #names = new Map<string, string>();
  readonly #layers = new Map<string, Buffer>();
  readonly #registry = new Map<string, StoredImage>();

  /** An image under a name, with one layer that holds nothing of interest. */
  addImage(name: string, image: Partial<StoredImage> = {}): StoredImage {
    const added = fakeImage(name, image);
    this.#images.set(added.id, added);
    this.#names.set(name, added.id);
    return added;
  }

  addToRegistry(name: string): void {
    this.#registry.set(name, fakeImage(name, {}));
  }

  remove(id: string): void {
    this.#images.delete(id);
  }

  async version(): Promise<{ engine: string; storageDriver: string }> {
    return { engine: "26.1.5", storageDriver: this.driver };
  }

  async image(reference: string): Promise<StoredImage | undefined> {
    return this.#images.get(this.#names.get(reference) ?? reference);
  }

  async images(label?: string): Promise<readonly StoredImage[]> {
    const [name = "", value] = label?.split("=") ?? [];
    return [...this.#images.values()].filter((image) => label === undefined || (image.config["Labels"] as Record<string, string> | null)?.[name] === value);
  }

  async pull(reference: string): Promise<void> {
    const image = this.#registry.get(reference);
    if (image === undefined) throw new Error(`manifest for ${reference} not found`);
    this.addImage(reference, image);
  }

  async tag(imageId: string, reference: string): Promise<void> {
    if (!this.#images.has(imageId)) throw new Error(`no such image: ${imageId}`);
    this.#names.set(reference, imageId);
  }

  untag(reference: string): void {
    this.#names.delete(reference);
  }

  async load(archive: Readable): Promise<void> {
    const files = await untar(archive);
    const [manifest] = JSON.parse(text(files, "manifest.json")) as { Config: string; Layers: string[] }[];
    const config = text(files, manifest?.Config ?? "");
    const told = JSON.parse(config) as Partial<StoredImage> & { rootfs: { diff_ids: string[] } };
    const layers = told.rootfs.diff_ids;
    this.brought.push([...files.keys()].flatMap((name) => (name.endsWith(".tar") || name.startsWith("blobs/") ? [name] : [])));
    for (const [index, diffId] of layers.entries()) {
      if (this.#hasChain(layers.slice(0, index + 1))) continue;
      const file = files.get(manifest?.Layers[index] ?? "");
      if (file === undefined) throw new Error(`open /var/lib/docker/tmp/docker-import-1/${manifest?.Layers[index]}: no such file or directory`);
      if (digest(file.content) !== diffId) throw new Error(`invalid diffID for layer ${index}: expected ${diffId}, got ${digest(file.content)}`);
      this.#layers.set(diffId, file.content);
    }
    const image: StoredImage = {
      id: digest(Buffer.from(config)),
      layers,
      created: told.created ?? "",
      os: told.os ?? "",
      architecture: told.architecture ?? "",
      variant: told.variant ?? "",
      // As engines tell it: with what nobody has said, and with nulls.
      config: { Hostname: "", Image: "", OnBuild: null, Labels: null, Env: null, ...told.config },
    };
    this.#images.set(image.id, image);
  }

  async save(imageId: string): Promise<Readable> {
    this.saves += 1;
    const image = await this.image(imageId);
    const out = pack();
    for (const layer of image?.layers ?? []) out.entry({ name: `blobs/sha256/${layer.slice(7)}` }, this.#layers.get(layer) ?? "base".repeat(1000));
    out.entry({ name: "manifest.json" }, "[]");
    out.finalize();
    return Readable.from(out, { objectMode: false });
  }

  async workbench(options: WorkbenchOptions): Promise<Workbench> {
    const image = await this.image(options.image);
    if (image === undefined) throw new Error(`no such image: ${options.image}`);
    const files: FakeFiles = new Map();
    const bench = benchOf(files, (onLine) => this.onRun({ options, files, onLine }));
    for (const layer of image.layers) for (const [name, file] of await untar(Readable.from([this.#layers.get(layer) ?? EMPTY]))) files.set(name, file);
    this.open += 1;
    return {
      ...bench,
      [Symbol.asyncDispose]: async () => {
        this.open -= 1;
      },
    };
  }

  #hasChain(chain: readonly string[]): boolean {
    return [...this.#images.values()].some((image) => chain.every((layer, index) => image.layers[index] === layer));
  }
}

const EMPTY = Buffer.alloc(1024);

function fakeImage(name: string, image: Partial<StoredImage>): StoredImage {
  return {
    id: digest(Buffer.from(name)),
    layers: [digest(Buffer.from(`layer of ${name}`))],
    created: "2026-11-01T00:00:00Z",
    os: "linux",
    architecture: "amd64",
    variant: "",
    config: { Env: ["PATH=/usr/bin:/bin"], Cmd: ["odoo"], User: "odoo", Labels: null, OnBuild: null, WorkingDir: "" },
    ...image,
  };
}

function digest(content: Buffer): string {
  return `sha256:${sha256(content)}`;
}

function text(files: FakeFiles, name: string): string {
  return files.get(name)?.content.toString("utf8") ?? "null";
}

export async function untar(archive: Readable): Promise<FakeFiles> {
  const files: FakeFiles = new Map();
  const from = extract();
  const collect = async (): Promise<void> => {
    for await (const entry of from) files.set(entry.header.name.replace(/\/$/, ""), { header: entry.header, content: await buffer(Readable.from(entry)) });
  };
  await Promise.all([pipeline(archive, from), collect()]);
  return files;
}

/** A container that has these files. */
export function benchOf(files: FakeFiles, run: (onLine: (line: string) => void) => number): Omit<Workbench, keyof AsyncDisposable> {
  return {
    put: async (archive) => {
      for (const [name, file] of await untar(archive)) files.set(name, file);
    },
    run: async (onLine, signal) => {
      signal?.throwIfAborted();
      return run(onLine);
    },
    take: async (path) => tarOf(files, path.replace(/^\//, "")),
  };
}

/** A file in such a container, by its path; a folder without a text. */
export function putFile(files: FakeFiles, path: string, said?: string, time = 1e12): void {
  const content = Buffer.from(said ?? "");
  const name = path.replace(/^\//, "");
  files.set(name, { header: { name, type: said === undefined ? "directory" : "file", size: content.length, mode: 0o755, mtime: new Date(time) }, content });
}

/** A folder as the engine gives it: below its own name, each folder's entries in the order of their names' bytes. */
function tarOf(files: FakeFiles, path: string): Readable {
  const out = pack();
  const add = (name: string): void => {
    const file = files.get(name);
    if (file === undefined) throw new Error(`Could not find the file /${path} in container`);
    const { pax: _, ...header } = file.header;
    out.entry({ ...header, name: posix.join(basename(path), posix.relative(path, name)) }, file.content);
    const children = [...files.keys()].filter((child) => posix.dirname(child) === name);
    for (const child of children.sort((a, b) => Buffer.compare(Buffer.from(basename(a)), Buffer.from(basename(b))))) add(child);
  };
  add(path);
  out.finalize();
  return Readable.from(out, { objectMode: false });
}
