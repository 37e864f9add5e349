import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import * as z from "zod";
import { messageOf, MillwrightError } from "../kernel/errors.ts";
import { imageArchive } from "./image-archive.ts";
import { type ImageStore, type Registries, requireLayerStore, type StoredImage } from "./image-store.ts";
import { missingLayers } from "./missing-layers.ts";
import { ownFolders, takeLayers } from "./own-layers.ts";
import { partialArchive } from "./partial-archive.ts";
import { isDerivedName } from "./derived-name.ts";
import { DERIVED_LABEL, imageConfig, labelsOf, ownLayers } from "./image-config.ts";

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
export const wantedImageSchema = z.strictObject({ image: digest, layers: z.array(digest).min(1) });
export type WantedImage = z.infer<typeof wantedImageSchema>;

export interface Missing {
  /** The image is there already: nothing to send. */
  readonly present: boolean;
  /** Layers that the receiver lacks. */
  readonly missing: readonly string[];
}

/** What a push would have to bring to this engine. */
export async function releaseMissing(store: ImageStore, wanted: WantedImage): Promise<Missing> {
  await requireLayerStore(store);
  if ((await store.image(wanted.image)) !== undefined) return { present: true, missing: [] };
  const chains = (await store.images()).map((image) => image.layers);
  return { present: false, missing: missingLayers(wanted.layers, chains) };
}

/** The image as a gzipped archive with only the layers that the receiver lacks. */
export async function releaseExport(store: ImageStore, id: string, missing: readonly string[]): Promise<Readable> {
  const image = await store.image(id);
  if (image === undefined) {
    const hint = "Build the release there, or push from where it was built.";
    throw new MillwrightError("RELEASE_NOT_FOUND", "The image of the release is not on this engine.", { subject: id, hint });
  }
  const out = new PassThrough();
  // Level 1: layers are mostly text or already compressed, and the link is seldom slower than the processor at higher levels.
  pipeline(archiveOf(store, image, missing), createGzip({ level: 1 }), out).catch((error: Error) => out.destroy(error));
  return out;
}

/** The same with all that is on top of the base: with the base, which a registry has by its digest, it is the whole release. */
export async function releaseArchive(store: ImageStore, id: string): Promise<Readable> {
  const image = await store.image(id);
  return await releaseExport(store, id, image === undefined ? [] : image.layers.slice(-ownLayers(image).length));
}

/** `docker save` reads the whole image: it is left for images that an older version has built, and for plants that lack the base too. */
async function* archiveOf(store: ImageStore, image: StoredImage, missing: readonly string[]): AsyncGenerator<Buffer> {
  const folders = ownFolders(image, missing);
  if (folders !== undefined) {
    await using bench = await store.workbench({ image: image.id, words: ["true"], network: false });
    const layers = await takeLayers(bench, folders);
    if (layers !== undefined) return yield* imageArchive(imageConfig(image), image.layers, layers);
  }
  yield* partialArchive(await store.save(image.id), image.layers, missing);
}

/** Loads such an archive and proves by its id that the image is the one that was meant. */
export async function releaseLoad(store: ImageStore, imageId: string, archive: Readable, tag?: string): Promise<{ readonly image: string }> {
  const plain = createGunzip();
  // Whichever half fails first decides: the engine may go on waiting for a stream that has broken off.
  try {
    await Promise.all([pipeline(archive, plain), store.load(plain)]);
  } catch (error) {
    archive.destroy();
    if (error instanceof MillwrightError) throw error;
    const why = messageOf(error);
    throw new MillwrightError("RELEASE_TRANSFER", `The image could not be loaded: ${why}`, {
      subject: imageId,
      hint: "Push the release again.",
      cause: error,
    });
  }
  const image = await store.image(imageId);
  if (image === undefined) {
    throw new MillwrightError("RELEASE_TRANSFER", "What arrived is not the image of this release.", { subject: imageId, hint: "Push the release again." });
  }
  if (tag !== undefined) await store.tag(imageId, tag);
  return { image: image.id };
}

/** Loads a derived image that another engine has made, and gives it the name that it brings along. */
export async function derivedLoad(store: ImageStore, imageId: string, archive: Readable): Promise<{ readonly image: string; readonly name: string }> {
  const loaded = await releaseLoad(store, imageId, archive);
  const name = labelsOf((await store.image(imageId)) ?? { config: {} })[DERIVED_LABEL];
  if (name === undefined || !isDerivedName(name)) {
    throw new MillwrightError("RELEASE_TRANSFER", "What arrived is not an image that millwright derives from another.", { subject: imageId });
  }
  await store.tag(imageId, name);
  return { ...loaded, name };
}

/** Digests of tags, as the engine's registry or mirrors tell them. */
export async function lockImages(registries: Registries, references: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const digests: Record<string, string> = {};
  for (const reference of references) digests[reference] = await registries.digestOf(reference);
  return digests;
}
