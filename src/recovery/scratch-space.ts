import { requireFree, RESERVE_BYTES } from "../kernel/disk-space.ts";

/** Bytes that are restored. */
interface Held {
  readonly database: { readonly size: number };
  readonly files: { readonly bytes: number };
}

/** The log that is replayed, and what a snapshot has grown by since. */
const GROWTH = 1.2;

/** Throws NO_SPACE when what a backup holds, restored beside the plant, might fill the disk that both lie on. Pure. */
export function requireScratchSpace({ database, files }: Held, freeBytes: number): void {
  requireFree({
    free: freeBytes,
    needed: (database.size + files.bytes) * GROWTH + 2 * RESERVE_BYTES,
    what: "what is restored beside the plant",
    hint: "Make room on the host: older restore points and releases, or a larger disk.",
  });
}
