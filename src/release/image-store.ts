import type { Readable } from "node:stream";

/** What this room needs of a Docker engine: a part of `Docker`, so that releases can be moved by anything that has it. */
export interface ImageStore {
  version(): Promise<{ readonly engine: string; readonly storageDriver: string }>;
  image(reference: string): Promise<StoredImage | undefined>;
  images(): Promise<readonly StoredImage[]>;
  tag(imageId: string, reference: string): Promise<void>;
  load(archive: Readable): Promise<void>;
  save(imageId: string): Promise<Readable>;
  digestOf(reference: string): Promise<string>;
}

export interface StoredImage {
  readonly id: string;
  readonly layers: readonly string[];
  readonly user: string;
}

/**
 * Whether `docker load` finds known layers in the store without their files. Docker's own drivers do (seen with overlay2 on 26.1; without
 * the layers the load fails and leaves nothing). The containerd image store (drivers named after snapshotters, such as `overlayfs`) keeps
 * compressed blobs instead of chains and must get the archive whole.
 */
export function takesPartialArchives(storageDriver: string): boolean {
  return ["overlay2", "btrfs", "zfs", "fuse-overlayfs", "vfs"].includes(storageDriver);
}

/** The tag that keeps a release's image from being pruned as nameless. */
export function releaseTag(site: string, release: string): string {
  return `millwright/${site}:${release}`;
}
