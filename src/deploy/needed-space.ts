import { GIB, requireFree, RESERVE_BYTES } from "../kernel/disk-space.ts";
import type { Observed } from "./observe-platform.ts";

/** Packed layers and what is unpacked of them, for a usual image; the engine does not tell sizes before it pulls. */
const IMAGE_BYTES = 0.75 * GIB;
/** Packages and their lists while one is made, of which little stays. */
const DERIVED_BYTES = 0.25 * GIB;

/** Throws NO_SPACE when pulling and making the missing images might fill the disk. */
export function requireSpace({ missingImages, missingDerived, freeBytes }: Pick<Observed, "missingImages" | "missingDerived" | "freeBytes">): void {
  const missing = missingImages.length + missingDerived.length;
  requireFree({
    free: Math.min(freeBytes.images, missing === 0 ? freeBytes.data : Number.POSITIVE_INFINITY),
    needed: missingImages.length * IMAGE_BYTES + missingDerived.length * DERIVED_BYTES + RESERVE_BYTES,
    what: missing === 0 ? "a deploy" : `a deploy with ${missing} images to get`,
  });
}
