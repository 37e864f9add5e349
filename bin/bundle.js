// What the command line's and the agent's bundles have in common.
import { build } from "esbuild";

/** Parts of packages that are never used, each by the package that asks for it: they triple the files and their start. */
const UNUSED = {
  commander: /^node:child_process$/, // subcommands that are programs of their own
  dockerode: /^@grpc\/(grpc-js|proto-loader)$/, // BuildKit sessions over gRPC
  "docker-modem": /^ssh2$/, // Docker over SSH
};

/** Asked for as a module though everybody has it: to make that module Node reads each of its properties, which sets up stdin and loads dozens more. */
const globalProcess = {
  name: "global-process",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?process$/ }, ({ path, kind }) => (kind === "require-call" ? { path, namespace: "global" } : undefined));
    onLoad({ filter: /.*/, namespace: "global" }, () => ({ contents: "module.exports = globalThis.process;", loader: "js" }));
  },
};

const leaveOut = {
  name: "leave-out",
  setup({ onResolve, onLoad }) {
    for (const [by, filter] of Object.entries(UNUSED)) {
      onResolve({ filter }, ({ path, importer }) => (importer.includes(`/node_modules/${by}/`) ? { path, namespace: "left-out" } : undefined));
    }
    onLoad({ filter: /.*/, namespace: "left-out" }, () => ({ contents: "module.exports = {};", loader: "js" }));
  },
};

export async function bundle({ plugins = [], ...options }) {
  await build({
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    // Readable, so that a stack trace says something.
    minifySyntax: true,
    legalComments: "none",
    plugins: [leaveOut, globalProcess, ...plugins],
    // Packages written as CommonJS ask for require(); a module has none of its own.
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    logLevel: "warning",
    ...options,
  });
}
