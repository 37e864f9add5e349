import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Stack } from "../../blueprint/stack.ts";
import type { Run } from "../program.ts";
import { ensureFolder, isMissing } from "../../kernel/durable-file.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import { countOf } from "../../kernel/count-of.ts";
import { hostName } from "../../site/standby.ts";
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
  const out = options.out === undefined ? join(target.site.directory, "build", hostName(target.environment)) : resolve(context.directory, options.out);
  if (out === target.site.directory) {
    throw new MillwrightError("USAGE", "The stack cannot be written into the site folder itself.", {
      subject: "--out",
      hint: "Name another folder, or leave the flag out: it is in the site's build/ then.",
    });
  }
  const wanted = new Map<string, string>([
    ...stack.files.map((file) => [file.path, file.content] as const),
    [MANIFEST, `${JSON.stringify({ id: stack.id, facts: stack.facts, files: stack.files.map(({ path }) => path) }, null, 2)}\n`],
  ]);
  const changed = [...wanted].filter(([path, content]) => textOf(join(out, path)) !== content).map(([path]) => path);
  const stale = previousFiles(out).filter((path) => !wanted.has(path));
  const differs = changed.length + stale.length > 0;
  if (options.check === true) {
    const text = differs ? `${out} is not what the site renders to: ${[...changed, ...stale].join(", ")}` : `${out} is up to date.`;
    return { data: { stack: stack.id, out, changed, stale }, text, exit: differs ? 3 : 0 };
  }
  for (const folder of new Set([out, ...changed.map((path) => dirname(join(out, path)))])) await ensureFolder(folder);
  for (const path of changed) writeStackFile(join(out, path), wanted.get(path) ?? "", isExecutable(stack, path));
  for (const path of stale) rmSync(join(out, path), { force: true });
  const text = differs
    ? `Stack ${stack.id} in ${out}: ${countOf(changed.length, "file")} written, ${stale.length} removed.`
    : `Stack ${stack.id} in ${out}: nothing to change.`;
  return { data: { stack: stack.id, out, changed, stale, files: [...wanted.keys()] }, text };
};

function isExecutable(stack: Stack, path: string): boolean {
  return stack.files.find((file) => file.path === path)?.executable ?? false;
}

function writeStackFile(file: string, content: string, executable: boolean): void {
  writeFileSync(file, content);
  chmodSync(file, executable ? 0o755 : 0o644);
}

function previousFiles(out: string): readonly string[] {
  const text = textOf(join(out, MANIFEST));
  if (text === undefined) return [];
  const manifest = parseJson(text);
  const files = typeof manifest === "object" && manifest !== null && "files" in manifest && Array.isArray(manifest.files) ? manifest.files : [];
  const inside = new Set(readdirSync(out, { encoding: "utf8", recursive: true }).map((path) => path.replaceAll("\\", "/")));
  return files.filter((path): path is string => typeof path === "string" && inside.has(path));
}

/** Synchronous, as the writing is: for small files one after the other the way through the thread pool takes longer than the work. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
