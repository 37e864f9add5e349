import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, pack } from "tar-stream";

const BLOB = /^blobs\/sha256\/([0-9a-f]{64})$/;

/**
 * A `docker save` archive without the layers that the receiver already has. `docker load` of an engine with a layer store (overlay2)
 * looks each chain up before it opens the layer's file, so files of known chains may be absent. An archive in the older layout
 * (`<id>/layer.tar`) passes whole: nothing in it is named by a layer's digest.
 *
 * `layers` are all layers of the image and `missing` those that must travel; a layer that occurs twice in a chain stays.
 */
export function partialArchive(archive: Readable, layers: readonly string[], missing: readonly string[]): Readable {
  const needed = new Set(missing);
  const known = new Set(layers.filter((layer) => !needed.has(layer)).map((layer) => layer.replace(/^sha256:/, "")));
  const from = extract();
  const to = pack();

  async function copy(): Promise<void> {
    for await (const entry of from) {
      const digest = BLOB.exec(entry.header.name)?.[1];
      if (digest !== undefined && known.has(digest)) {
        entry.resume();
        continue;
      }
      if (entry.header.type !== "file") {
        to.entry(entry.header);
        entry.resume();
        continue;
      }
      await pipeline(entry, to.entry(entry.header));
    }
    to.finalize();
  }

  const fail = (error: unknown): void => {
    const problem = error instanceof Error ? error : new Error(String(error));
    to.destroy(problem);
    archive.destroy();
  };
  // The two halves fail on their own; whichever fails first ends the stream that the reader sees.
  pipeline(archive, from).catch(fail);
  copy().catch(fail);
  return Readable.from(to, { objectMode: false });
}
