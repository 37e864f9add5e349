/**
 * A file system in memory that keeps apart what programs see (the page cache) and what a loss of power leaves (the platter). It promises no
 * more than POSIX: a file's bytes are safe after a sync of the file, its name after a sync of the folder. Only the names of new folders are
 * kept with what is synced in them, as every file system in use does. Of what was not synced any part may be left, but changes of one
 * folder are lost from the last one backwards.
 */

export interface FileNode {
  readonly kind: "file";
  data: Buffer;
  /** As on the platter; undefined before the first sync. */
  synced: Buffer | undefined;
  /** Writes since the last sync, oldest first. */
  unsynced: { readonly position: number; readonly bytes: Buffer; readonly size: number }[];
  mode: number;
  uid: number;
  changedAt: number;
}

export interface FolderNode {
  readonly kind: "folder";
  readonly names: Map<string, Node>;
  readonly platter: Map<string, Node>;
  mode: number;
  uid: number;
  changedAt: number;
}

export interface LinkNode {
  readonly kind: "link";
  readonly target: string;
  mode: number;
  uid: number;
  changedAt: number;
}

export type Node = FileNode | FolderNode | LinkNode;

interface NameChange {
  /** What got the name, if any. */
  readonly named?: Node;
  readonly folders: readonly FolderNode[];
  readonly apply: () => void;
}

/** Yields numbers from 0 to 1, the same for the same seed. */
export type Random = () => number;

export class Disk {
  isFull = false;
  /** Told the path of each name that appears, disappears or is replaced. */
  readonly watchers = new Set<(path: string) => void>();
  readonly #now: () => number;
  #root: FolderNode;
  #nameChanges: NameChange[] = [];

  constructor(now: () => number) {
    this.#now = now;
    this.#root = this.#newFolder(0o755);
  }

  find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const part of partsOf(path)) {
      if (node.kind === "file") throw systemError("ENOTDIR", path);
      node = node.kind === "folder" ? node.names.get(part) : undefined;
      if (node === undefined) return undefined;
    }
    return node;
  }

  get(path: string): Node {
    const node = this.find(path);
    if (node === undefined) throw systemError("ENOENT", path);
    return node;
  }

  file(path: string): FileNode {
    const node = this.get(path);
    if (node.kind !== "file") throw systemError("EISDIR", path);
    return node;
  }

  folder(path: string): FolderNode {
    const node = this.get(path);
    if (node.kind !== "folder") throw systemError("ENOTDIR", path);
    return node;
  }

  /** The text of a file; undefined when it is absent. */
  text(path: string): string | undefined {
    const node = this.find(path);
    return node?.kind === "file" ? node.data.toString("utf8") : undefined;
  }

  createFile(path: string, mode: number): FileNode {
    this.#needRoom(path);
    const node: FileNode = { kind: "file", data: Buffer.alloc(0), synced: undefined, unsynced: [], mode, uid: 0, changedAt: this.#now() };
    this.#put(path, node);
    return node;
  }

  createFolder(path: string, mode: number): void {
    this.#needRoom(path);
    if (this.find(path) !== undefined) throw systemError("EEXIST", path);
    this.#put(path, this.#newFolder(mode));
  }

  createLink(path: string, target: string): void {
    if (this.find(path) !== undefined) throw systemError("EEXIST", path);
    this.#put(path, { kind: "link", target, mode: 0o777, uid: 0, changedAt: this.#now() });
  }

  hardLink(from: string, to: string): void {
    if (this.find(to) !== undefined) throw systemError("EEXIST", to);
    this.#put(to, this.get(from));
  }

  /** Writes what there is room for and returns how many bytes that was. */
  write(file: FileNode, bytes: Buffer, position: number): number {
    const room = this.isFull ? Math.max(0, Math.min(bytes.length, file.data.length - position)) : bytes.length;
    const written = bytes.subarray(0, room);
    const grown = Buffer.alloc(Math.max(file.data.length, position + written.length));
    file.data.copy(grown);
    written.copy(grown, position);
    file.data = grown;
    file.changedAt = this.#now();
    file.unsynced.push({ position, bytes: Buffer.from(written), size: grown.length });
    return written.length;
  }

  truncate(file: FileNode, size: number): void {
    file.data = Buffer.from(file.data.subarray(0, size));
    file.unsynced.push({ position: size, bytes: Buffer.alloc(0), size });
  }

  rename(from: string, to: string): void {
    const node = this.get(from);
    const [source, target] = [this.#parent(from), this.#parent(to)];
    const replaced = target.folder.names.get(target.name);
    if (replaced?.kind === "folder" && replaced.names.size > 0) throw systemError("ENOTEMPTY", to);
    source.folder.names.delete(source.name);
    target.folder.names.set(target.name, node);
    this.#nameChanges.push({
      named: node,
      folders: [source.folder, target.folder],
      apply: () => {
        source.folder.platter.delete(source.name);
        target.folder.platter.set(target.name, node);
      },
    });
    this.#tell(from);
    this.#tell(to);
  }

  remove(path: string): void {
    const node = this.get(path);
    if (node.kind === "folder" && node.names.size > 0) throw systemError("ENOTEMPTY", path);
    const { folder, name } = this.#parent(path);
    folder.names.delete(name);
    this.#nameChanges.push({ folders: [folder], apply: () => folder.platter.delete(name) });
    this.#tell(path);
  }

  sync(node: Node): void {
    if (node.kind === "file") settle(node);
    if (node.kind !== "folder") return;
    // Changes of this folder, and what has to come before them in any folder that they share with others.
    const bound = new Set([node]);
    for (const folder of bound) for (const change of this.#nameChanges) if (change.named === folder) for (const above of change.folders) bound.add(above);
    const kept: NameChange[] = [];
    const due: NameChange[] = [];
    for (const change of this.#nameChanges.toReversed()) {
      if (!change.folders.some((folder) => bound.has(folder))) {
        kept.push(change);
        continue;
      }
      for (const folder of change.folders) bound.add(folder);
      due.push(change);
    }
    for (const change of due.reverse()) change.apply();
    this.#nameChanges = kept.reverse();
  }

  /** Everything reaches the platter, as it does by itself within half a minute. */
  syncAll(): void {
    for (const change of this.#nameChanges) change.apply();
    this.#nameChanges = [];
    for (const [, node] of this.#walk("", this.#root)) if (node.kind === "file") settle(node);
  }

  /** The power goes: what was not synced is there in part, as the dice fall. */
  losePower(random: Random): void {
    const broken = new Set<FolderNode>();
    for (const change of this.#nameChanges) {
      if (!change.folders.some((folder) => broken.has(folder)) && random() < 0.5) change.apply();
      else for (const folder of change.folders) broken.add(folder);
    }
    this.#nameChanges = [];
    const seen = new Set<Node>();
    const restore = (node: Node): void => {
      if (seen.has(node)) return;
      seen.add(node);
      if (node.kind === "file") tear(node, random);
      if (node.kind !== "folder") return;
      node.names.clear();
      for (const [name, inner] of node.platter) {
        node.names.set(name, inner);
        restore(inner);
      }
    };
    restore(this.#root);
  }

  /** Every path with what is there, sorted. */
  listing(): readonly (readonly [path: string, node: Node])[] {
    return [...this.#walk("", this.#root)].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  copyFrom(other: Disk): void {
    const copies = new Map<Node, Node>();
    const copy = (node: Node): Node => {
      const known = copies.get(node);
      if (known !== undefined) return known;
      if (node.kind === "folder") {
        const made: FolderNode = { ...node, names: new Map(), platter: new Map() };
        copies.set(node, made);
        for (const [name, inner] of node.names) made.names.set(name, copy(inner));
        for (const [name, inner] of node.platter) made.platter.set(name, copy(inner));
        return made;
      }
      const made: Node = node.kind === "file" ? { ...node, unsynced: [...node.unsynced] } : { ...node };
      copies.set(node, made);
      return made;
    };
    if (other.#nameChanges.length > 0) throw new Error("a disk is copied when all is synced");
    this.#root = copy(other.#root) as FolderNode;
  }

  *#walk(path: string, folder: FolderNode): Generator<readonly [string, Node]> {
    for (const [name, node] of folder.names) {
      yield [`${path}/${name}`, node];
      if (node.kind === "folder") yield* this.#walk(`${path}/${name}`, node);
    }
  }

  #put(path: string, node: Node): void {
    const { folder, name } = this.#parent(path);
    folder.names.set(name, node);
    this.#nameChanges.push({ named: node, folders: [folder], apply: () => folder.platter.set(name, node) });
    this.#tell(path);
  }

  #tell(path: string): void {
    for (const watcher of this.watchers) watcher(path);
  }

  #parent(path: string): { readonly folder: FolderNode; readonly name: string } {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw systemError("EBUSY", path);
    return { folder: this.folder(`/${parts.join("/")}`), name };
  }

  #newFolder(mode: number): FolderNode {
    return { kind: "folder", names: new Map(), platter: new Map(), mode, uid: 0, changedAt: this.#now() };
  }

  #needRoom(path: string): void {
    if (this.isFull) throw systemError("ENOSPC", path);
  }
}

/** An error as Node's file functions throw it. */
export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: '${path}'`), { code });
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

function settle(file: FileNode): void {
  file.synced = Buffer.from(file.data);
  file.unsynced = [];
}

/** Leaves a file as a loss of power does: some of the writes since the last sync, the last of them torn or of its full length with zeros. */
function tear(file: FileNode, random: Random): void {
  let data = file.synced ?? Buffer.alloc(0);
  const whole = Math.floor(random() * (file.unsynced.length + 1));
  for (const [index, { position, bytes, size }] of file.unsynced.entries()) {
    if (index > whole) break;
    const isTorn = index === whole;
    const part = isTorn ? bytes.subarray(0, Math.floor(random() * (bytes.length + 1))) : bytes;
    const end = isTorn && random() < 0.5 ? position + part.length : size;
    const next = Buffer.alloc(Math.max(end, position + part.length));
    data.copy(next);
    part.copy(next, position);
    data = next;
  }
  file.data = data;
  settle(file);
}
