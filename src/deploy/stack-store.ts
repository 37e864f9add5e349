import { chmod, mkdtemp, readdir, readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import * as z from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { type Stack, stackFactsSchema, stackFileSchema, stackId } from "../blueprint/stack.ts";
import { withPresentFacts } from "./old-facts.ts";
import { canonicalJson } from "../kernel/canonical.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { hasCode, isMissing, makeDirectory, syncDirectory, writeDurable, writtenAt } from "../kernel/durable-file.ts";

/** A dot file: no path of a stack can begin with a dot. */
const MANIFEST = ".stack.json";
const KEPT = 5;

const manifestSchema = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  facts: z.unknown(),
  files: z.array(stackFileSchema.omit({ content: true })),
});

/** Writes a stack under `stacks/<id>/` in one instant, for people to read and for `readStack`. Secrets are references in it. */
export async function storeStack(paths: HostPaths, stack: Stack): Promise<void> {
  const target = join(paths.stacks, stack.id);
  if (await isWhole(paths, stack.id)) return;
  await makeDirectory(paths.stacks, 0o755);
  // Two operators may send the same stack at once: each writes a folder of its own, and the first to be in place stays.
  const temporary = await mkdtemp(join(paths.stacks, `.${stack.id}.`));
  try {
    await chmod(temporary, 0o755);
    for (const file of stack.files) {
      const path = join(temporary, file.path);
      await makeDirectory(dirname(path), 0o755);
      await writeDurable(path, file.content, { mode: file.executable ? 0o555 : 0o444 });
    }
    const manifest = { version: 1, id: stack.id, facts: stack.facts, files: stack.files.map(({ content: _content, ...rest }) => rest) };
    await writeDurable(join(temporary, MANIFEST), canonicalJson(manifest), { mode: 0o444 });
    if (!(await putInPlace(temporary, target)) && !(await isWhole(paths, stack.id))) {
      await rename(target, `${temporary}.damaged`);
      await putInPlace(temporary, target);
    }
    await syncDirectory(paths.stacks);
  } finally {
    for (const left of [temporary, `${temporary}.damaged`]) await rm(left, { recursive: true, force: true });
  }
}

/** False when there is a folder already. */
async function putInPlace(folder: string, target: string): Promise<boolean> {
  try {
    await rename(folder, target);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOTEMPTY") || hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

/** A stored stack, with its id checked again: a file changed by hand is refused. */
export async function readStack(paths: HostPaths, id: string): Promise<Stack> {
  const directory = join(paths.stacks, id);
  const hint = "Run `millwright deploy` again: it brings the stack anew.";
  try {
    const manifest = manifestSchema.parse(JSON.parse(await readFile(join(directory, MANIFEST), "utf8")));
    const files = await Promise.all(manifest.files.map(async (file) => ({ ...file, content: await readFile(join(directory, file.path), "utf8") })));
    if (stackId(manifest.facts, files) !== id)
      throw new MillwrightError("STACK_INVALID", `The files of stack ${id} on the host were changed by hand.`, { subject: directory, hint });
    return { version: 1, id, facts: stackFactsSchema.parse(withPresentFacts(manifest.facts)), files };
  } catch (error) {
    if (isMissing(error)) throw new MillwrightError("STACK_INVALID", `The host does not have stack ${id}.`, { subject: directory, hint, cause: error });
    if (!(error instanceof SyntaxError) && !(error instanceof z.ZodError)) throw error;
    throw new MillwrightError("STACK_INVALID", `What describes stack ${id} on the host is damaged.`, {
      subject: join(directory, MANIFEST),
      hint,
      cause: error,
    });
  }
}

async function isWhole(paths: HostPaths, id: string): Promise<boolean> {
  try {
    await readStack(paths, id);
    return true;
  } catch (error) {
    if (error instanceof MillwrightError) return false;
    throw error;
  }
}

export async function currentStack(paths: HostPaths): Promise<string | undefined> {
  try {
    return basename(await readlink(paths.current));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Points `current` at a stack, or nowhere. */
export async function setCurrentStack(paths: HostPaths, id: string | undefined): Promise<void> {
  if (id === undefined) {
    await rm(paths.current, { force: true });
  } else {
    const temporary = join(paths.base, ".current.new");
    await rm(temporary, { force: true });
    await symlink(join("stacks", id), temporary);
    await rename(temporary, paths.current);
  }
  await syncDirectory(paths.base);
}

/** Keeps the newest stacks and those named. What is gone meanwhile, such as the folder in which another process was making one, counts as the oldest. */
export async function removeOldStacks(paths: HostPaths, keep: readonly string[]): Promise<void> {
  const names = await readdir(paths.stacks);
  const aged = await Promise.all(names.map(async (name) => ({ name, at: await writtenAt(join(paths.stacks, name)) })));
  const old = aged.sort((a, b) => b.at - a.at).slice(KEPT);
  for (const { name } of old) if (!keep.includes(name)) await rm(join(paths.stacks, name), { recursive: true, force: true });
}
