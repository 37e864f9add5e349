import { MillwrightError } from "../kernel/errors.ts";
import { imageArchive } from "./image-archive.ts";
import { imageConfig, type ImageFacts, imageId } from "./image-config.ts";
import type { ImageStore } from "./image-store.ts";
import type { Layer } from "./layer.ts";

/** Gives an engine that has the base an image on top of it, and tells its id. `layers` are those that the engine lacks. */
export async function putImage(store: ImageStore, facts: ImageFacts, layers: readonly Layer[]): Promise<string> {
  const config = imageConfig(facts);
  const image = imageId(config);
  if ((await store.image(image)) !== undefined) return image;
  await store.load(imageArchive(config, facts.layers, layers));
  if ((await store.image(image)) === undefined) {
    throw new MillwrightError("BUILD_FAILED", "The engine has taken the image in, but under another id.", { subject: image });
  }
  return image;
}
