import { createWriteStream } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, type Header } from "tar-stream";
import { MillwrightError } from "../kernel/errors.ts";
import { isSafeName } from "./plain-tar.ts";

const MAXIMUM = { files: 100_000, bytes: 4 * 1024 ** 3 };

/** Unpacks a build context that came from the operator side into an empty folder: plain files and folders, all below it. */
export async function unpackContext(context: Readable, directory: string): Promise<void> {
  const from = extract();
  let files = 0;
  let bytes = 0;
  async function unpack(): Promise<void> {
    for await (const entry of from) {
      const { name, type, size, mode } = entry.header;
      check(entry.header);
      files += 1;
      bytes += size;
      if (files > MAXIMUM.files || bytes > MAXIMUM.bytes) throw new MillwrightError("ADDONS_INVALID", "The build context is too large.");
      const path = join(directory, name);
      if (type === "directory") {
        await mkdir(path, { recursive: true });
        entry.resume();
        continue;
      }
      await mkdir(dirname(path), { recursive: true });
      await pipeline(entry, createWriteStream(path, { flags: "wx" }));
      await chmod(path, mode & 0o100 ? 0o755 : 0o644);
    }
  }
  await Promise.all([pipeline(context, from), unpack()]);
}

function check(header: Header): void {
  if (header.type !== "file" && header.type !== "directory") {
    throw new MillwrightError("ADDONS_INVALID", `The build context holds a ${header.type} entry, which is not allowed.`, { subject: header.name });
  }
  if (!isSafeName(header.name)) {
    throw new MillwrightError("ADDONS_INVALID", "The build context holds a path that leads out of it.", { subject: header.name });
  }
}
