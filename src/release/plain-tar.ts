import { Readable } from "node:stream";
import { type Header, pack, type Pack } from "tar-stream";

/** One instant for what has no time of its own: the bytes of our tars depend on what they hold and on nothing else. */
export const MTIME = new Date("2000-01-01T00:00:00Z");

/** A tar as a stream of bytes, of what `fill` puts into it. */
export function packed(fill: (tar: Pack) => Promise<void>): Readable {
  const tar = pack();
  fill(tar).then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return Readable.from(tar, { objectMode: false });
}

export type PlainHeader = Pick<Header, "name"> & Partial<Header>;

/** The head of a file that root owns. */
export function plainHeader(name: string, mode: number): PlainHeader {
  return { name, mode, mtime: MTIME, uid: 0, gid: 0, uname: "", gname: "" };
}

/** Whether a name in a tar stays below the folder that the tar is unpacked in. */
export function isSafeName(name: string): boolean {
  return /^(?!.*(^|\/)\.\.?(\/|$))[^/\0][^\0]*$/s.test(name);
}
