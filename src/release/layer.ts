import { createHash } from "node:crypto";
import type { Readable } from "node:stream";

/** A layer of an image: an uncompressed tar, the same bytes each time it is opened. */
export interface Layer {
  /** `sha256:…` of those bytes. */
  readonly diffId: string;
  readonly sizeBytes: number;
  open(): Promise<Readable>;
}

/** Reads a layer once to know its digest and size; it is kept nowhere. */
export async function measureLayer(open: () => Promise<Readable>): Promise<Layer> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of (await open()) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { diffId: `sha256:${hash.digest("hex")}`, sizeBytes, open };
}
