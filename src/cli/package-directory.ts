import { fileURLToPath } from "node:url";

/** Works from `src/cli` and from `dist/cli`: both lie two folders below the package. */
export const PACKAGE_DIRECTORY = fileURLToPath(new URL("../..", import.meta.url));
