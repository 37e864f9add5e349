import type { Clock } from "../kernel/clock.ts";
import type { Shell } from "../kernel/shell.ts";

/** The host as bootstrap touches it: programs, files, time, and a lock that dies with the process. */
export interface System {
  readonly shell: Shell;
  readonly files: HostFiles;
  readonly clock: Clock;
  /** Holds `name` until disposed of or until this process ends; undefined when another process holds it. */
  exclusive(name: string): Promise<AsyncDisposable | undefined>;
  readonly identities: HostIdentities;
}

/** The host's age key: made on the host, never seen elsewhere. */
export interface HostIdentities {
  make(path: string): Promise<void>;
  /** What others encrypt for; undefined while there is no identity at `path`. */
  recipient(path: string): Promise<string | undefined>;
}

/** Everything bootstrap writes belongs to root, so owners are only looked at, never chosen. */
export interface HostFiles {
  look(path: string): Promise<FileEntry | undefined>;
  /** undefined when there is no such file. */
  read(path: string): Promise<string | undefined>;
  list(directory: string): Promise<readonly string[]>;
  /** Whole or not at all: a temporary file beside it, fsync, rename. */
  write(path: string, content: string, mode: number): Promise<void>;
  makeDirectory(path: string, mode: number): Promise<void>;
  link(path: string, target: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

export interface FileEntry {
  readonly kind: "file" | "directory" | "symlink" | "other";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a symbolic link. */
  readonly target?: string;
}
