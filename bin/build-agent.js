// Bundles the host half into one file, so that a host needs that file and a Node runtime, nothing else.
import { build } from "esbuild";

/** Parts of dockerode that the agent never uses: Docker over SSH, and BuildKit sessions over gRPC. They triple the file and its start. */
const UNUSED = /^(ssh2|@grpc\/grpc-js|@grpc\/proto-loader)$/;

const leaveOut = {
  name: "leave-out",
  setup(bundle) {
    bundle.onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: "left-out" }));
    bundle.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({ contents: "module.exports = {};", loader: "js" }));
  },
};

await build({
  entryPoints: ["src/agent/main.ts"],
  outfile: "dist/agent.mjs",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  // Readable, so that a stack trace from a host says something; the wire compresses it.
  minifySyntax: true,
  legalComments: "none",
  plugins: [leaveOut],
  // Packages written as CommonJS ask for require(); a module has none of its own.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  logLevel: "warning",
});
