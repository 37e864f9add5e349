/** Kept equal to package.json by a test: the agent is one bundled file and has no package.json beside it. */
export const VERSION = "0.1.0";
