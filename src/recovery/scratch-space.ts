import { MillwrightError } from "../kernel/errors.ts";

/** Bytes that are restored. */
interface Held {
  readonly database: { readonly size: number };
  readonly files: { readonly bytes: number };
}

const GIB = 1024 ** 3;
/** Left for the plant: its database stops for good when it cannot write its log. */
const RESERVE_BYTES = 2 * GIB;
/** The log that is replayed, and what a snapshot has grown by since. */
const GROWTH = 1.2;

/** Throws NO_SPACE when what a backup holds, restored beside the plant, might fill the disk that both lie on. Pure. */
export function requireScratchSpace({ database, files }: Held, freeBytes: number): void {
  const needed = (database.size + files.bytes) * GROWTH + RESERVE_BYTES;
  if (freeBytes >= needed) return;
  const gib = (bytes: number): string => (bytes / GIB).toFixed(1);
  throw new MillwrightError(
    "NO_SPACE",
    `The disk of the data has ${gib(freeBytes)} GiB free, and what is restored may need ${gib(needed)} GiB beside the plant.`,
    {
      subject: "disk",
      hint: "Make room on the host: older restore points and releases, or a larger disk.",
    },
  );
}
