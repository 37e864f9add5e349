import type { Readable } from "node:stream";
import { MillwrightError } from "../kernel/errors.ts";

/** What this room needs of a Docker engine: a part of `Docker`, so that releases can be built and moved by anything that has it. */
export interface ImageStore {
  version(): Promise<{ readonly engine: string; readonly storageDriver: string }>;
  image(reference: string): Promise<StoredImage | undefined>;
  images(label?: string): Promise<readonly StoredImage[]>;
  pull(reference: string, options?: { readonly signal?: AbortSignal }): Promise<void>;
  tag(imageId: string, reference: string): Promise<void>;
  load(archive: Readable): Promise<void>;
  save(imageId: string): Promise<Readable>;
  workbench(options: WorkbenchOptions): Promise<Workbench>;
}

/** The registries behind an engine. */
export interface Registries {
  digestOf(reference: string): Promise<string>;
}

export interface StoredImage {
  readonly id: string;
  /** Diff ids, base first. */
  readonly layers: readonly string[];
  readonly created: string;
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface WorkbenchOptions {
  readonly image: string;
  readonly words: readonly string[];
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly network: boolean;
}

/** A container to put files into, to run its program once, and to take files out of; removed when disposed of. */
export interface Workbench extends AsyncDisposable {
  put(archive: Readable): Promise<void>;
  run(onLine: (line: string) => void, signal?: AbortSignal): Promise<number>;
  take(path: string): Promise<Readable>;
}

/**
 * Refuses an engine with the containerd image store (drivers named after snapshotters, such as `overlayfs`). It keeps compressed blobs
 * instead of chains of layers, so it cannot take an image without its base, and names images by other ids. Docker's own drivers look each
 * chain up before they open the layer's file (seen with overlay2 on 26.1; without the layers the load fails and leaves nothing).
 */
export async function requireLayerStore(store: ImageStore): Promise<void> {
  const { storageDriver } = await store.version();
  if (["overlay2", "btrfs", "zfs", "fuse-overlayfs", "vfs"].includes(storageDriver)) return;
  throw new MillwrightError("ENGINE_UNSUITABLE", `The Docker engine keeps its images in containerd (${storageDriver}), where a release has another id.`, {
    hint: 'Set "features": {"containerd-snapshotter": false} in its daemon.json, restart it and run the command again.',
  });
}

/** On a host an image is named by its id: the same content may be several releases. */
export function imageTag(stack: string, image: string): string {
  return releaseTag(stack, image.slice(7, 19));
}

/** The tag that keeps a release's image from being pruned as nameless. */
export function releaseTag(site: string, release: string): string {
  return `millwright/${site}:${release}`;
}
