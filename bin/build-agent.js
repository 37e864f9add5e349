// Bundles the host half into one file, so that a host needs that file and a Node runtime, nothing else.
import { bundle } from "./bundle.js";

await bundle({ entryPoints: ["src/agent/main.ts"], outfile: "dist/agent.mjs" });
