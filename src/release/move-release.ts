import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { z } from "zod";
import { messageOf, MillwrightError } from "../kernel/errors.ts";
import { type ImageStore, takesPartialArchives } from "./image-store.ts";
import { missingLayers } from "./missing-layers.ts";
import { partialArchive } from "./partial-archive.ts";

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
export const wantedImageSchema = z.strictObject({ image: digest, layers: z.array(digest).min(1) });
export type WantedImage = z.infer<typeof wantedImageSchema>;

export interface Missing {
  /** The image is there already: nothing to send. */
  readonly present: boolean;
  /** Layers that the receiver lacks; all of them when it can take whole archives only. */
  readonly missing: readonly string[];
  /** True when the engine's image store needs the whole archive, so that the operator can be told why it takes longer. */
  readonly wholeOnly: boolean;
}

/** What a push would have to bring to this engine. */
export async function releaseMissing(store: ImageStore, wanted: WantedImage): Promise<Missing> {
  const wholeOnly = !takesPartialArchives((await store.version()).storageDriver);
  if ((await store.image(wanted.image)) !== undefined) return { present: true, missing: [], wholeOnly };
  if (wholeOnly) return { present: false, missing: wanted.layers, wholeOnly };
  const images = await store.images();
  return {
    present: false,
    missing: missingLayers(
      wanted.layers,
      images.map((image) => image.layers),
    ),
    wholeOnly,
  };
}

/** The image as a gzipped archive with only the layers that the receiver lacks. */
export async function releaseExport(store: ImageStore, imageId: string, missing: readonly string[]): Promise<Readable> {
  const image = await store.image(imageId);
  if (image === undefined) {
    const hint = "Build the release there, or push from where it was built.";
    throw new MillwrightError("RELEASE_NOT_FOUND", "The image of the release is not on this engine.", { subject: imageId, hint });
  }
  const archive = await store.save(imageId);
  const out = new PassThrough();
  // Level 1: layers are mostly text or already compressed, and the link is seldom slower than the processor at higher levels.
  pipeline(partialArchive(archive, image.layers, missing), createGzip({ level: 1 }), out).catch((error: Error) => out.destroy(error));
  return out;
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
      hint: "Push again: layers that arrived are kept.",
      cause: error,
    });
  }
  const image = await store.image(imageId);
  if (image === undefined) {
    // The containerd image store names an image by its manifest, Docker's own by its configuration: the same content, two ids.
    const isOtherStore = !takesPartialArchives((await store.version()).storageDriver);
    const hint = isOtherStore
      ? 'This engine uses the containerd image store, where images have other ids: set "features": {"containerd-snapshotter": false} in its daemon.json, restart it and push again, or build the release there.'
      : "Push the release again.";
    throw new MillwrightError("RELEASE_TRANSFER", "What arrived is not the image of this release.", { subject: imageId, hint });
  }
  if (tag !== undefined) await store.tag(imageId, tag);
  return { image: image.id };
}

/** Digests of tags, as the engine's registry or mirrors tell them. */
export async function lockImages(store: ImageStore, references: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const digests: Record<string, string> = {};
  for (const reference of references) digests[reference] = await store.digestOf(reference);
  return digests;
}
