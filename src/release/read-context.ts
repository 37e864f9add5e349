import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { readIfThere } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { hashFile } from "./hash-file.ts";
import { walkTree } from "./walk-tree.ts";

/** The file of a build context that says what is built. */
export const CONTEXT_FACTS = "release.json";

const HELD = [CONTEXT_FACTS, "requirements.txt", "addons", "wheels"];

export const contextFactsSchema = z.strictObject({
  /** Odoo image by digest. */
  base: z.string().regex(/^[a-z0-9][a-z0-9._/-]*(:[A-Za-z0-9._-]+)?@sha256:[0-9a-f]{64}$/),
});

export type ContextFacts = Readonly<z.infer<typeof contextFactsSchema>>;

/** An unpacked context, looked through: whoever may deploy chooses the addons of a build, and neither what is run on the engine nor how. */
export interface Context extends ContextFacts {
  readonly addons: string;
  /** Text of requirements.txt. */
  readonly requirements?: string;
  readonly wheels?: Wheels;
}

export interface Wheels {
  readonly folder: string;
  /** Hash of each file, by path. */
  readonly hashes: Readonly<Record<string, string>>;
}

export async function readContext(directory: string): Promise<Context> {
  const names = await readdir(directory);
  const stray = names.find((name) => !HELD.includes(name));
  if (stray !== undefined) throw invalid(`it holds ${stray}, which no release has`, stray);
  const parsed = contextFactsSchema.safeParse(await readFacts(join(directory, CONTEXT_FACTS)));
  if (!parsed.success) throw invalid(z.prettifyError(parsed.error).replaceAll("\n", " "), CONTEXT_FACTS);
  if (!names.includes("addons")) throw invalid("it has no folder of addons", "addons");
  const requirements = await readIfThere(join(directory, "requirements.txt"));
  return {
    ...parsed.data,
    addons: join(directory, "addons"),
    ...(requirements === undefined ? {} : { requirements }),
    ...(names.includes("wheels") ? { wheels: await readWheels(join(directory, "wheels")) } : {}),
  };
}

async function readWheels(folder: string): Promise<Wheels> {
  const hashes: Record<string, string> = {};
  for (const file of await walkTree(folder)) hashes[file.path] = (await hashFile(file.absolute)).toString("hex");
  return { folder, hashes };
}

async function readFacts(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new MillwrightError("ADDONS_INVALID", "The build context does not say which release it is for.", { subject: CONTEXT_FACTS, cause });
  }
}

function invalid(why: string, subject: string): MillwrightError {
  return new MillwrightError("ADDONS_INVALID", `The build context is not one of a release: ${why}.`, { subject });
}
