import { MillwrightError } from "../kernel/errors.ts";
import type { Observed } from "./observe-platform.ts";

const GIB = 1024 ** 3;
/** Packed layers and what is unpacked of them, for a usual image; the engine does not tell sizes before it pulls. */
const IMAGE_BYTES = 0.75 * GIB;
/** Packages and their lists while one is made, of which little stays. */
const DERIVED_BYTES = 0.25 * GIB;
/** Left over for logs and the database's own growth while a deploy is under way. */
const RESERVE_BYTES = 1 * GIB;

/** Throws NO_SPACE when pulling and making the missing images might fill the disk. */
export function requireSpace({ missingImages, missingDerived, freeBytes }: Pick<Observed, "missingImages" | "missingDerived" | "freeBytes">): void {
  const needed = missingImages.length * IMAGE_BYTES + missingDerived.length * DERIVED_BYTES + RESERVE_BYTES;
  const missing = missingImages.length + missingDerived.length;
  const free = Math.min(freeBytes.images, missing === 0 ? freeBytes.data : Number.POSITIVE_INFINITY);
  if (free >= needed) return;
  const images = missing === 0 ? "a deploy" : `${missing} images to get`;
  throw new MillwrightError("NO_SPACE", `The host has ${gib(free)} GiB free and ${images} may need ${gib(needed)} GiB.`, {
    subject: "disk",
    hint: "Make room on the host: `docker image prune`, or a larger disk.",
  });
}

function gib(bytes: number): string {
  return (bytes / GIB).toFixed(1);
}
