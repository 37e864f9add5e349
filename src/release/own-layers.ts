import { BASE_LABEL, imageConfig, imageId, labelsOf, ownLayers } from "./image-config.ts";
import type { StoredImage, Workbench } from "./image-store.ts";
import { layerOfArchive } from "./layer-tar.ts";
import { type Layer, measureLayer } from "./layer.ts";

/**
 * Where in an image that was put together by us its own layers lie, by diff id. Undefined for any other image, and when one of the layers
 * wanted is not the image's own: one of the base.
 */
export function ownFolders(image: StoredImage, wanted: readonly string[]): ReadonlyMap<string, string> | undefined {
  if (labelsOf(image)[BASE_LABEL] === undefined || imageId(imageConfig(image)) !== image.id) return undefined;
  const own = ownLayers(image);
  const folders = new Map(own.map(({ folder }, index) => [image.layers[image.layers.length - own.length + index] ?? "", folder]));
  for (const diffId of folders.keys()) if (!wanted.includes(diffId)) folders.delete(diffId);
  return folders.size === new Set(wanted).size ? folders : undefined;
}

/** Those layers, made again from a container of the image; undefined when one does not come out as it went in. */
export async function takeLayers(bench: Workbench, folders: ReadonlyMap<string, string>): Promise<readonly Layer[] | undefined> {
  const layers: Layer[] = [];
  for (const [diffId, folder] of folders) {
    const layer = await measureLayer(async () => layerOfArchive(await bench.take(folder), folder, "own"));
    if (layer.diffId !== diffId) return undefined;
    layers.push(layer);
  }
  return layers;
}
