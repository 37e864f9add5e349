import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, chown, lstat, mkdir, open, readdir, readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { systemClock } from "../kernel/clock.ts";
import type { RunOptions, RunResult, Shell } from "../kernel/shell.ts";
import type { FileEntry, HostFiles, System } from "./system.ts";

const KEPT_OUTPUT = 1024 * 1024;
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8", HOME: "/root" };

/** The machine this process runs on, as root. */
export function localSystem(): System {
  return { shell: localShell, files: localFiles, clock: systemClock, exclusive };
}

const localShell: Shell = {
  run: (words, options = {}) =>
    new Promise((resolve, reject) => {
      const [program = "", ...rest] = words;
      const child = spawn(program, rest, {
        cwd: options.directory ?? "/",
        env: { ...ENVIRONMENT, ...options.environment },
        stdio: ["pipe", "pipe", "pipe"],
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        ...(options.timeoutMilliseconds === undefined ? {} : { timeout: options.timeoutMilliseconds }),
      });
      const stdout = collect(child.stdout, options.onLine);
      const stderr = collect(child.stderr, options.onLine);
      child.on("error", (error: NodeJS.ErrnoException) => {
        // As a shell would say it: callers weigh an exit status and need no second way of failing.
        if (error.code === "ENOENT") resolve({ code: 127, stdout: "", stderr: `${program}: not found` });
        else reject(error);
      });
      child.on("close", (code): void => resolve({ code, stdout: stdout(), stderr: stderr() } satisfies RunResult));
      // A program may end without reading all of its input; its exit status says whether that matters.
      child.stdin.on("error", () => {});
      child.stdin.end(options.input ?? "");
    }),
};

function collect(stream: NodeJS.ReadableStream, onLine: RunOptions["onLine"]): () => string {
  let text = "";
  let line = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    text = (text + chunk).slice(-KEPT_OUTPUT);
    if (onLine === undefined) return;
    const lines = (line + chunk).split("\n");
    line = lines.pop() ?? "";
    for (const whole of lines) onLine(whole);
  });
  return () => text;
}

const localFiles: HostFiles = {
  look: (path) => absentIsUndefined(() => entryOf(path)),
  read: (path) => absentIsUndefined(() => readFile(path, "utf8")),
  list: async (directory) => (await absentIsUndefined(() => readdir(directory))) ?? [],
  write: async (path, content, mode) => {
    const fresh = temporaryName(path);
    const file = await open(fresh, "wx", 0o600);
    try {
      await file.writeFile(content);
      await file.chmod(mode);
      await file.chown(0, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
    await syncDirectory(dirname(path));
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

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function absentIsUndefined<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** An abstract socket as a lock: the kernel lets go of it when the process ends, however it ends. */
function exclusive(name: string): Promise<AsyncDisposable | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(`\0${name}`, () =>
      resolve({ [Symbol.asyncDispose]: () => new Promise<void>((closed) => server.close(() => closed())) }),
    );
  });
}
