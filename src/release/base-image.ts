import { MillwrightError } from "../kernel/errors.ts";
import type { ImageStore, StoredImage } from "./image-store.ts";

export interface BaseOptions {
  readonly store: ImageStore;
  /** By digest. */
  readonly reference: string;
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** The image that ours is made of, pulled where the engine lacks it. */
export async function baseImage({ store, reference, onLine, signal }: BaseOptions): Promise<StoredImage> {
  const found = await store.image(reference);
  if (found !== undefined) return found;
  onLine(`Pulling ${reference} …`);
  await store.pull(reference, signal === undefined ? {} : { signal });
  const pulled = await store.image(reference);
  if (pulled === undefined) throw new MillwrightError("IMAGE_MISSING", "The engine has pulled the base image, but does not have it.", { subject: reference });
  return pulled;
}

/** The digest that a reference ends with. */
export function digestOf(reference: string): string {
  return reference.slice(reference.indexOf("@") + 1);
}
