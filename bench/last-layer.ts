import { buffer } from "node:stream/consumers";
import { dockerodeDocker } from "../src/docker/dockerode-docker.ts";
import { sha256 } from "../src/kernel/canonical.ts";
import { systemClock } from "../src/kernel/clock.ts";
import { layerOfArchive } from "../src/release/layer-tar.ts";
import { ADDONS_PATH } from "../src/release/image-config.ts";

/** The uncompressed tar of a release's top layer, its addons, proven by the digest that its image names. */
export async function lastLayer(socket: string, id: string): Promise<Buffer> {
  const docker = dockerodeDocker(systemClock, socket);
  const wanted = (await docker.image(id))?.layers.at(-1);
  await using bench = await docker.workbench({ image: id, words: ["true"], network: false });
  const tar = await buffer(layerOfArchive(await bench.take(ADDONS_PATH), ADDONS_PATH, "own"));
  if (`sha256:${sha256(tar)}` !== wanted) throw new Error(`The addons of ${id} are not its top layer.`);
  return tar;
}
