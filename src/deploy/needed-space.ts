import { MillwrightError } from "../kernel/errors.ts";
import type { Observed } from "./observe-platform.ts";

const GIB = 1024 ** 3;
/** Packed layers and what is unpacked of them, for a usual image; the engine does not tell sizes before it pulls. */
const IMAGE_BYTES = 0.75 * GIB;
/** Left over for logs and the database's own growth while a deploy is under way. */
const RESERVE_BYTES = 1 * GIB;

/** Throws NO_SPACE when pulling the missing images might fill the disk. */
export function requireSpace(observed: Pick<Observed, "missingImages" | "freeBytes">): void {
  const needed = observed.missingImages.length * IMAGE_BYTES + RESERVE_BYTES;
  const free = Math.min(observed.freeBytes.images, observed.missingImages.length === 0 ? observed.freeBytes.data : Number.POSITIVE_INFINITY);
  if (free >= needed) return;
  const images = observed.missingImages.length === 0 ? "a deploy" : `${observed.missingImages.length} images to pull`;
  throw new MillwrightError("NO_SPACE", `The host has ${gib(free)} GiB free and ${images} may need ${gib(needed)} GiB.`, {
    subject: "disk",
    hint: "Make room on the host: `docker image prune`, or a larger disk.",
  });
}

function gib(bytes: number): string {
  return (bytes / GIB).toFixed(1);
}
