import { randomBytes } from "node:crypto";
import { chmod, chown, lstat, mkdir, readlink, rename, rm, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { localShell } from "../docker/local-shell.ts";
import { systemClock } from "../kernel/clock.ts";
import { isMissing, namesIn, readIfThere, syncDirectory, writeDurable } from "../kernel/durable-file.ts";
import { ensureIdentity, readIdentity } from "../secrets/identity.ts";
import type { FileEntry, HostFiles, HostIdentities, System } from "./system.ts";

/** The machine this process runs on, as root. */
export function localSystem(): System {
  return { shell: localShell(), files: localFiles, clock: systemClock, exclusive, identities };
}

const localFiles: HostFiles = {
  look: async (path) => {
    try {
      return await entryOf(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },
  read: readIfThere,
  list: namesIn,
  write: async (path, content, mode) => {
    await writeDurable(path, content, { mode, uid: 0 });
  },
  makeDirectory: async (path, mode) => {
    await mkdir(path, { recursive: true });
    await chown(path, 0, 0);
    await chmod(path, mode);
  },
  link: async (path, target) => {
    const fresh = temporaryName(path);
    await symlink(target, fresh);
    await rename(fresh, path);
    await syncDirectory(dirname(path));
  },
  rename: async (from, to) => {
    await rename(from, to);
    await syncDirectory(dirname(to));
  },
  remove: (path) => rm(path, { recursive: true, force: true }),
};

const identities: HostIdentities = {
  // Made beside it and renamed: a run that is cut off here leaves no half identity that the next would take for the host's.
  make: async (path) => {
    const fresh = temporaryName(path);
    await ensureIdentity(fresh);
    await localFiles.rename(fresh, path);
  },
  recipient: async (path) => ((await localFiles.look(path)) === undefined ? undefined : (await readIdentity(path)).recipient),
};

async function entryOf(path: string): Promise<FileEntry> {
  const found = await lstat(path);
  const kind = found.isFile() ? "file" : found.isDirectory() ? "directory" : found.isSymbolicLink() ? "symlink" : "other";
  const entry = { kind, mode: found.mode & 0o7777, uid: found.uid, gid: found.gid } as const;
  return kind === "symlink" ? { ...entry, target: await readlink(path) } : entry;
}

/** Hidden, so that programs that read a whole `.d` folder pass over it. */
function temporaryName(path: string): string {
  const cut = path.lastIndexOf("/") + 1;
  return `${path.slice(0, cut)}.${path.slice(cut)}.millwright-${randomBytes(4).toString("hex")}`;
}

/** An abstract socket as a lock: the kernel lets go of it when the process ends, however it ends. */
function exclusive(name: string): Promise<AsyncDisposable | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(`\0${name}`, () => resolve({ [Symbol.asyncDispose]: () => new Promise<void>((closed) => server.close(() => closed())) }));
  });
}
