import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Stack } from "../../blueprint/stack.ts";
import type { Run } from "../program.ts";
import { readIfThere } from "../../kernel/durable-file.ts";
import { renderedStack } from "../rendered-stack.ts";
import { type EnvironmentOption, loadTarget } from "../target.ts";

interface Options extends EnvironmentOption {
  readonly out?: string;
  readonly check?: boolean;
}

/** The list of what the last render wrote, so that files it no longer makes are removed and nothing else is touched. */
const MANIFEST = ".millwright-stack.json";

export const renderCommand: Run<Options> = async (options, context) => {
  const target = await loadTarget(options, context);
  const stack = await renderedStack(target, context);
  const out = options.out === undefined ? join(target.site.directory, "build", target.environment.name) : resolve(context.directory, options.out);
  const wanted = new Map<string, string>([
    ...stack.files.map((file) => [file.path, file.content] as const),
    [MANIFEST, `${JSON.stringify({ id: stack.id, facts: stack.facts, files: stack.files.map(({ path }) => path) }, null, 2)}\n`],
  ]);
  const changed: string[] = [];
  for (const [path, content] of wanted) if ((await readIfThere(join(out, path))) !== content) changed.push(path);
  const stale = (await previousFiles(out)).filter((path) => !wanted.has(path));
  const differs = changed.length + stale.length > 0;
  if (options.check === true) {
    const text = differs ? `${out} is not what the site renders to: ${[...changed, ...stale].join(", ")}` : `${out} is up to date.`;
    return { data: { stack: stack.id, out, changed, stale }, text, exit: differs ? 3 : 0 };
  }
  for (const path of changed) await writeStackFile(out, path, wanted.get(path) ?? "", isExecutable(stack, path));
  for (const path of stale) await rm(join(out, path), { force: true });
  const text = differs
    ? `Stack ${stack.id} in ${out}: ${changed.length} files written, ${stale.length} removed.`
    : `Stack ${stack.id} in ${out}: nothing to change.`;
  return { data: { stack: stack.id, out, changed, stale, files: [...wanted.keys()] }, text };
};

function isExecutable(stack: Stack, path: string): boolean {
  return stack.files.find((file) => file.path === path)?.executable ?? false;
}

async function writeStackFile(out: string, path: string, content: string, executable: boolean): Promise<void> {
  const file = join(out, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  await chmod(file, executable ? 0o755 : 0o644);
}

async function previousFiles(out: string): Promise<readonly string[]> {
  const text = await readIfThere(join(out, MANIFEST));
  if (text === undefined) return [];
  const manifest: unknown = JSON.parse(text);
  const files = typeof manifest === "object" && manifest !== null && "files" in manifest && Array.isArray(manifest.files) ? manifest.files : [];
  const inside = new Set((await readdir(out, { recursive: true })).map((path) => path.replaceAll("\\", "/")));
  return files.filter((path): path is string => typeof path === "string" && inside.has(path));
}
