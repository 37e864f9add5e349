import { join } from "node:path";

/** Works from `src/cli` and from `dist/cli`: both lie two folders below the package. */
export const PACKAGE_DIRECTORY = join(import.meta.dirname, "../..");
