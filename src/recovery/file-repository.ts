/** Tag of the snapshots that are taken whenever Odoo has written files. */
export const MINUTE = "minute";

/** Files as they were at one moment. */
export interface Snapshot {
  readonly id: string;
  /** ISO 8601: when it was begun. */
  readonly at: string;
  readonly tags: readonly string[];
}

export interface SnapshotResult {
  readonly id: string;
  readonly files: number;
  readonly bytes: number;
  /** Bytes that it added to the repository. */
  readonly added: number;
}

/** Which files a snapshot is of: Odoo's filestore, or what the host needs to be built again. */
export type SnapshotKind = "files" | "host";

/** Snapshots of files in an encrypted repository, each complete, what is the same kept once. */
export interface FileRepository {
  /** Makes the repository if there is none. */
  prepare(): Promise<void>;
  /** Throws BACKUP_FAILED, also when only some of the files could be read. */
  take(kind: SnapshotKind, tag: string, signal: AbortSignal): Promise<SnapshotResult>;
  /** Oldest first. */
  snapshots(kind: SnapshotKind): Promise<readonly Snapshot[]>;
  /**
   * Lays the filestore of a snapshot into the scratch place. With `fillIn`, files that are there already stay: names are hashes of the
   * content, so any two snapshots together are as good as either.
   */
  restore(snapshot: string, options: { readonly fillIn: boolean }, signal: AbortSignal): Promise<void>;
  /**
   * Lays a file of the host's, one that may be seen by anybody, into a repository without a password beside this one. For a place that this host
   * reaches by the repository's program alone.
   */
  lay(name: string, signal: AbortSignal): Promise<void>;
  /** A short text file of a snapshot of the host. */
  read(snapshot: string, name: string): Promise<string>;
  /** Lays all files of a snapshot of the host into the scratch place. */
  restoreHost(snapshot: string, signal: AbortSignal): Promise<void>;
  /** What is wrong with the repository, `share` of its data (such as `1/4`, or all of it) read byte by byte. */
  verify(share: string | undefined, signal: AbortSignal): Promise<readonly string[]>;
  /** Drops these snapshots, and frees the space. */
  forget(snapshots: readonly string[], signal: AbortSignal): Promise<void>;
}
