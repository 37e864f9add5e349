import { buffer } from "node:stream/consumers";
import { extract } from "tar-stream";
import { dockerodeDocker } from "../src/docker/dockerode-docker.ts";
import { systemClock } from "../src/kernel/clock.ts";

/** The uncompressed tar of an image's top layer, out of `docker save`. */
export async function lastLayer(socket: string, image: string): Promise<Buffer> {
  const manifest: { Layers: string[] }[] = JSON.parse((await readEntry(socket, image, "manifest.json")).toString("utf8"));
  return readEntry(socket, image, manifest[0]?.Layers.at(-1) ?? "");
}

async function readEntry(socket: string, image: string, name: string): Promise<Buffer> {
  const archive = await dockerodeDocker(systemClock, socket).save(image);
  let found: Buffer | undefined;
  const entries = archive.pipe(extract());
  for await (const entry of entries) {
    if (entry.header.name === name) found = await buffer(entry);
    else entry.resume();
  }
  if (found === undefined) throw new Error(`The archive of ${image} has no ${name}.`);
  return found;
}
