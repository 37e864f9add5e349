import { MillwrightError } from "./errors.ts";

export const GIB = 1024 ** 3;

/** Left over for logs and the database's own growth while something is under way. */
export const RESERVE_BYTES = 1 * GIB;

/** In bytes. */
interface Space {
  readonly free: number;
  readonly needed: number;
  /** What needs it: `3 images to get`. */
  readonly what: string;
  readonly hint?: string;
}

/** Before anything is begun that could fill the disk: PostgreSQL stops when it cannot write its log. Throws NO_SPACE. Pure. */
export function requireFree({ free, needed, what, hint }: Space): void {
  if (free >= needed) return;
  const gib = (bytes: number): string => (bytes / GIB).toFixed(1);
  throw new MillwrightError("NO_SPACE", `The host has ${gib(free)} GiB free, and ${what} may need ${gib(needed)} GiB.`, {
    subject: "disk",
    ...(hint === undefined ? {} : { hint }),
  });
}
