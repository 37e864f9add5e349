import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, posix } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, type Header, type Pack } from "tar-stream";
import { MillwrightError } from "../kernel/errors.ts";
import { hashFile } from "./hash-file.ts";
import { isSafeName, MTIME, packed, plainHeader, type PlainHeader } from "./plain-tar.ts";

const MAXIMUM = { files: 200_000, bytes: 4 * 1024 ** 3 };

/** Seconds, about 17 years: with `MTIME` all times lie in the past. */
const TIMES = 2 ** 29;

/**
 * A folder of plain files as a layer that puts it at `target`. Its bytes depend on names, contents and executable bits alone.
 *
 * A file's time is a function of its content. Odoo names asset bundles after path and time of their files, and static files' ETags are
 * made of time and size: with one time for all, browsers and Odoo itself would go on with what a release before had there.
 */
export function layerOfTree(root: string, target: string): Readable {
  return packed(async (tar) => {
    startFolder(tar, target);
    await addTree(tar, root, target);
  });
}

async function addTree(tar: Pack, directory: string, target: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))) {
    const [path, name] = [join(directory, entry.name), posix.join(target, entry.name)];
    if (entry.isDirectory()) {
      tar.entry(folderHeader(name));
      await addTree(tar, path, name);
    } else {
      const { size, mode } = await stat(path);
      await pipeline(createReadStream(path), tar.entry({ ...fileHeader(name, mode), size, mtime: await timeOf(path) }));
    }
  }
}

async function timeOf(path: string): Promise<Date> {
  return new Date(MTIME.getTime() + ((await hashFile(path)).readUInt32BE() % TIMES) * 1000);
}

/**
 * The same of a folder that comes out of a container. Engines walk folders in the order of `addTree`, so a layer of ours comes out as it
 * went in; `times` says whether its files have kept their own times or have those of an installation, which count for nothing.
 */
export function layerOfArchive(archive: Readable, target: string, times: "own" | "none"): Readable {
  return packed(async (tar) => {
    const from = extract();
    let [files, bytes] = [0, 0];
    const copy = async (): Promise<void> => {
      for await (const entry of from) {
        const { type, size, mode, mtime } = entry.header;
        const below = pathBelow(entry.header);
        files += 1;
        bytes += size;
        if (files > MAXIMUM.files || bytes > MAXIMUM.bytes) throw refused(`${target} is too large`, target);
        const name = posix.join(target, below);
        if (type === "directory") {
          if (below === "") startFolder(tar, target);
          else tar.entry(folderHeader(name));
          entry.resume();
        } else {
          await pipeline(entry, tar.entry({ ...fileHeader(name, mode), size, ...(times === "own" ? { mtime } : {}) }));
        }
      }
    };
    await Promise.all([pipeline(archive, from), copy()]);
  });
}

/** An entry's path without the folder that the engine puts in front; empty for that folder itself. */
function pathBelow({ name, type }: Header): string {
  if (type !== "directory" && type !== "file") throw refused(`${name} is a ${type}, which no layer of ours may hold`, name);
  const path = name.replace(/\/$/, "");
  if (!isSafeName(path)) throw refused(`${name} is a path that leads out of its folder`, name);
  return path.split("/").slice(1).join("/");
}

function refused(why: string, subject: string): MillwrightError {
  return new MillwrightError("BUILD_FAILED", `What the container holds cannot become a layer: ${why}.`, { subject });
}

/** The folders down to the layer's own: an engine would make up the modes of those that a layer leaves out. */
function startFolder(tar: Pack, target: string): void {
  const parts = target.split("/").filter((part) => part !== "");
  for (let length = 1; length <= parts.length; length += 1) tar.entry(folderHeader(parts.slice(0, length).join("/")));
}

function folderHeader(name: string): PlainHeader {
  return { ...plainHeader(`${name.replace(/^\//, "")}/`, 0o755), type: "directory" };
}

function fileHeader(name: string, mode: number): PlainHeader {
  return plainHeader(name.replace(/^\//, ""), (mode & 0o100) === 0 ? 0o644 : 0o755);
}
