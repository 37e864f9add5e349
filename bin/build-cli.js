// Bundles the operator side: a command then reads the few files it needs instead of the hundreds that its packages are made of.
import { createHash } from "node:crypto";
import { appendFile, readdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { build } from "esbuild";
import { tsImport } from "tsx/esm/api";
import { bundle } from "./bundle.js";

const folder = "dist/cli";
// File names hold a hash: those of the build before would stay.
await rm(folder, { recursive: true, force: true });

const { prepareBlueprint } = await tsImport("../src/blueprint/prepare-blueprint.ts", import.meta.url);
const prepared = await prepareBlueprint("blueprints/odoo");
const prepare = {
  name: "prepared-blueprint",
  setup({ onLoad }) {
    onLoad({ filter: /\/blueprint\/prepared\.ts$/ }, () => ({ contents: prepared, loader: "js" }));
  },
};

// esbuild cuts a chunk for each set of `import()`s that ask for the same modules: dozens of tiny ones, each to be found, opened and
// linked. So each asks as well for what is loaded by then: what the start has loaded and, but for these two, what reads the site's folder.
const WITHOUT_SITE = ["interpret-schemas", "completion"];
const START = ["cli/problem-of", "cli/program", "cli/output", "cli/context"];
const SITE = ["cli/target", "cli/package-directory", "kernel/durable-file", "kernel/parse-json", "kernel/parse-yaml", "blueprint/stack"];
const share = {
  name: "share",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ kind, path, importer, resolveDir }) =>
      kind === "dynamic-import" && importer.startsWith(resolve("src")) ? { path: resolve(resolveDir, path), namespace: "share" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "share" }, ({ path }) => {
      const also = [...START, ...(WITHOUT_SITE.includes(basename(path, ".ts")) ? [] : SITE)].map((name) => resolve("src", `${name}.ts`));
      const contents = [...also.map((file) => `import ${JSON.stringify(file)};`), `export * from ${JSON.stringify(path)};`].join("\n");
      return { contents, resolveDir: dirname(path), loader: "js" };
    });
  },
};

await bundle({
  entryPoints: ["src/cli/main.ts"],
  outdir: folder,
  outExtension: { ".js": ".cjs" },
  splitting: true,
  chunkNames: "[name]-[hash]",
  banner: {},
  // Where it can, it is installed with a cipher of its own in machine code.
  external: ["ssh2"],
  plugins: [prepare, share],
  // For `--debug`: a stack trace then names the lines of src/.
  sourcemap: "linked",
  sourcesContent: false,
});

// esbuild cuts modules only. As CommonJS they can be run with the code that an earlier run has compiled (bin/kept-code.cjs).
const files = (await readdir(folder)).filter((name) => name.endsWith(".cjs")).sort();
await build({
  entryPoints: files.map((name) => `${folder}/${name}`),
  outdir: folder,
  outExtension: { ".js": ".cjs" },
  allowOverwrite: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  supported: { "dynamic-import": false },
  define: { "import.meta.filename": "__filename", "import.meta.dirname": "__dirname" },
  legalComments: "none",
  sourcemap: "linked",
  sourcesContent: false,
  logLevel: "warning",
});
// The entry names the whole build.
const hash = createHash("sha256");
for (const name of files) hash.update(await readFile(`${folder}/${name}`));
await appendFile(`${folder}/main.cjs`, `// build ${hash.digest("hex")}\n`);
