// Bundles the host half into one file, so that a host needs that file and a Node runtime, nothing else.
import { build } from "esbuild";

await build({
  entryPoints: ["src/agent/main.ts"],
  outfile: "dist/agent.mjs",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  minify: true,
  keepNames: true,
  sourcemap: false,
  legalComments: "none",
  // Packages written as CommonJS ask for require(); a module has none of its own.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  external: ["cpu-features", "*.node"],
  logLevel: "warning",
});
