import { type Disk, type FileNode, type FolderNode, type Node, systemError } from "./disk.ts";
import { currentProcess, effect, effectNow } from "./process.ts";

/** Node's file functions on the disk of the machine whose process calls them: what `vi.mock` puts in the place of `node:fs/promises`. */

function change(path: string): Disk {
  const process = currentProcess();
  process.changes.push(path);
  return process.host.disk;
}

/** A file's effect: the disk is looked up before the world takes over, because then nobody calls any more. */
function look<T>(name: string, path: string, work: (disk: Disk) => T): Promise<T> {
  const { disk } = currentProcess().host;
  return effect("look", `${name} ${path}`, () => work(disk));
}

function alter<T>(name: string, path: string, work: (disk: Disk, part: () => void) => T): Promise<T> {
  const disk = change(path);
  return effect("file", `${name} ${path}`, (part) => work(disk, part));
}

export const access = (path: string): Promise<void> => look("access", path, (disk) => void disk.get(path));

export const readFile = (path: string, encoding?: "utf8"): Promise<Buffer | string> =>
  look("readFile", path, (disk) => {
    const { data } = disk.file(path);
    return encoding === undefined ? Buffer.from(data) : data.toString(encoding);
  });

export const readdir = (path: string): Promise<string[]> => look("readdir", path, (disk) => [...disk.folder(path).names.keys()].sort());

export const stat = (path: string): Promise<Stats> => look("stat", path, (disk) => statsOf(disk.get(path)));

export const statfs = (path: string): Promise<{ readonly bavail: number; readonly bsize: number }> =>
  look("statfs", path, (disk) => ({ bavail: disk.isFull ? 0 : 25_000_000, bsize: 4096 }));

export const readlink = (path: string): Promise<string> =>
  look("readlink", path, (disk) => {
    const node = disk.get(path);
    if (node.kind !== "link") throw systemError("EINVAL", path);
    return node.target;
  });

export const mkdir = (path: string, options: { readonly recursive?: boolean; readonly mode?: number } = {}): Promise<string | undefined> =>
  alter("mkdir", path, (disk, part) => {
    if (options.recursive !== true) {
      disk.createFolder(path, options.mode ?? 0o755);
      return undefined;
    }
    let first: string | undefined;
    let made = "";
    for (const name of path.split("/").filter((segment) => segment !== "")) {
      made += `/${name}`;
      if (disk.find(made) !== undefined) continue;
      if (first !== undefined) part();
      disk.createFolder(made, options.mode ?? 0o755);
      first ??= made;
    }
    return first;
  });

let lastFolder = 0;
export const mkdtemp = (prefix: string): Promise<string> => {
  lastFolder += 1;
  const path = `${prefix}${String(lastFolder).padStart(6, "0")}`;
  return alter("mkdtemp", path, (disk) => {
    disk.createFolder(path, 0o700);
    return path;
  });
};

export const rm = (path: string, options: { readonly recursive?: boolean; readonly force?: boolean } = {}): Promise<void> =>
  alter("rm", path, (disk, part) => {
    const node = disk.find(path);
    if (node === undefined) {
      if (options.force === true) return;
      throw systemError("ENOENT", path);
    }
    if (node.kind === "folder" && options.recursive !== true) throw systemError("EISDIR", path);
    removeTree(disk, path, node, part);
  });

function removeTree(disk: Disk, path: string, node: Node, part: () => void): void {
  if (node.kind === "folder") {
    for (const [name, inner] of node.names) {
      removeTree(disk, `${path}/${name}`, inner, part);
      part();
    }
  }
  disk.remove(path);
}

export const rename = (from: string, to: string): Promise<void> => alter("rename", to, (disk) => disk.rename(from, to));
export const link = (from: string, to: string): Promise<void> => alter("link", to, (disk) => disk.hardLink(from, to));
export const symlink = (target: string, path: string): Promise<void> => alter("symlink", path, (disk) => disk.createLink(path, target));
export const chmod = (path: string, mode: number): Promise<void> => alter("chmod", path, (disk) => void (disk.get(path).mode = mode));
export const chown = (path: string, uid: number): Promise<void> => alter("chown", path, (disk) => void (disk.get(path).uid = uid));

export const copyFile = (from: string, to: string): Promise<void> =>
  alter("copyFile", to, (disk, part) => {
    const source = disk.file(from);
    const target = disk.find(to)?.kind === "file" ? disk.file(to) : disk.createFile(to, source.mode);
    disk.truncate(target, 0);
    part();
    if (disk.write(target, source.data, 0) < source.data.length) throw systemError("ENOSPC", to);
  });

export const open = (path: string, flags: string, mode = 0o666): Promise<OpenFile> => {
  const { disk } = currentProcess().host;
  const kind = flags.startsWith("r") ? "look" : "file";
  return effect(kind, `open ${path}`, () => new OpenFile(disk, path, openNode(disk, path, flags, mode)));
};

function openNode(disk: Disk, path: string, flags: string, mode: number): FileNode | FolderNode {
  const present = disk.find(path);
  if (present === undefined) {
    if (!/^[wa]/.test(flags)) throw systemError("ENOENT", path);
    return disk.createFile(path, mode);
  }
  if (flags.includes("x")) throw systemError("EEXIST", path);
  if (present.kind === "link" || (present.kind === "folder" && flags !== "r")) throw systemError("EISDIR", path);
  if (present.kind === "file" && flags.startsWith("w")) disk.truncate(present, 0);
  return present;
}

class OpenFile {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #node: FileNode | FolderNode;

  constructor(disk: Disk, path: string, node: FileNode | FolderNode) {
    this.#disk = disk;
    this.#path = path;
    this.#node = node;
  }

  get #file(): FileNode {
    if (this.#node.kind === "folder") throw systemError("EISDIR", this.#path);
    return this.#node;
  }

  stat(): Promise<Stats> {
    return look("fstat", this.#path, () => statsOf(this.#node));
  }

  read(buffer: Buffer, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }> {
    return look("read", this.#path, () => ({ bytesRead: this.#file.data.copy(buffer, offset, position, position + length) }));
  }

  write(buffer: Buffer, offset: number, length: number, position: number): Promise<{ readonly bytesWritten: number }> {
    const bytes = buffer.subarray(offset, offset + length);
    return alter(describeWrite(this.#path, bytes), this.#path, (disk, part) => {
      const half = Math.ceil(length / 2);
      let written = disk.write(this.#file, bytes.subarray(0, half), position);
      part();
      written += disk.write(this.#file, bytes.subarray(half), position + half);
      if (written === 0 && length > 0) throw systemError("ENOSPC", this.#path);
      return { bytesWritten: written };
    });
  }

  writeFile(content: string): Promise<void> {
    return alter("write", this.#path, (disk, part) => {
      const bytes = Buffer.from(content);
      const half = Math.ceil(bytes.length / 2);
      let written = disk.write(this.#file, bytes.subarray(0, half), 0);
      part();
      written += disk.write(this.#file, bytes.subarray(half), half);
      if (written < bytes.length) throw systemError("ENOSPC", this.#path);
    });
  }

  truncate(size: number): Promise<void> {
    return alter("truncate", this.#path, (disk) => disk.truncate(this.#file, size));
  }

  chmod(mode: number): Promise<void> {
    return alter("chmod", this.#path, () => void (this.#node.mode = mode));
  }

  sync(): Promise<void> {
    return alter("sync", this.#path, (disk) => disk.sync(this.#node));
  }

  async close(): Promise<void> {
    void this.#disk;
  }
}

/** A line of the journal by what it says: that is how a story names the place where something happens. */
function describeWrite(path: string, bytes: Buffer): string {
  const line = path.endsWith("/journal.jsonl") ? /"kind":"([a-z-]+)","step":"([a-z:-]*)"/.exec(bytes.toString("utf8")) : null;
  return line === null ? "write" : `journal ${line[1] ?? ""} ${line[2] ?? ""} in`;
}

interface Stats {
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly mtimeMs: number;
  isFile(): boolean;
  isDirectory(): boolean;
}

function statsOf(node: Node): Stats {
  const size = node.kind === "file" ? node.data.length : 0;
  return { size, mode: node.mode, uid: node.uid, mtimeMs: node.changedAt, isFile: () => node.kind === "file", isDirectory: () => node.kind === "folder" };
}

/** What stands for `node:fs`: the functions that a run's event file and its watch for an abort use. */
const numbers = new Map<number, { readonly path: string; readonly file: FileNode }>();
let lastNumber = 1000;

export function openSync(path: string, flags: string, mode: number): number {
  const { disk } = currentProcess().host;
  lastNumber += 1;
  const number = lastNumber;
  return effectNow("file", `open ${path}`, number, () => {
    const file = openNode(disk, path, flags, mode);
    if (file.kind === "folder") throw systemError("EISDIR", path);
    numbers.set(number, { path, file });
    return number;
  });
}

export function closeSync(number: number): void {
  numbers.delete(number);
}

export function fstatSync(number: number): { readonly size: number } {
  return { size: numbers.get(number)?.file.data.length ?? 0 };
}

export function readSync(number: number, buffer: Buffer, offset: number, length: number, position: number): number {
  return numbers.get(number)?.file.data.copy(buffer, offset, position, position + length) ?? 0;
}

export function writeSync(number: number, bytes: Uint8Array, offset: number): number {
  const opened = numbers.get(number);
  const all = bytes.length - offset;
  if (opened === undefined) return all;
  const { path, file } = opened;
  const { disk } = currentProcess().host;
  return effectNow("file", `write ${path}`, all, () => {
    const rest = Buffer.from(bytes).subarray(offset);
    const written = disk.write(file, rest, file.data.length);
    if (written === 0 && rest.length > 0) throw systemError("ENOSPC", path);
    return written;
  });
}

/** Tells of names that change in a folder, as inotify does: a moment later. */
export function watch(path: string, listener: (event: string, name: string) => void): { on(event: string, listener: unknown): void; close(): void } {
  const process = currentProcess();
  const { disk, clock } = process.host;
  const watcher = (changed: string): void => {
    if (!changed.startsWith(`${path}/`)) return;
    clock.after(1, () => {
      if (disk.watchers.has(watcher)) process.enter(() => listener("rename", changed.slice(path.length + 1)));
    });
  };
  const close = (): void => void disk.watchers.delete(watcher);
  disk.watchers.add(watcher);
  process.onDeath(close);
  return { on: () => {}, close };
}
