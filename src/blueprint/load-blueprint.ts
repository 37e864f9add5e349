import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import type { Json } from "../kernel/canonical.ts";
import { messageOf } from "../kernel/errors.ts";
import { type Blueprint, blueprintFileSchema, type Part, partHeadSchema } from "./blueprint.ts";
import { blueprintInvalid } from "./template.ts";

/** Reads a blueprint folder: the only input and output of this room. */
export async function loadBlueprint(directory: string): Promise<Blueprint> {
  const text = await readFile(join(directory, "blueprint.yaml"), "utf8").catch((error: unknown) => {
    throw blueprintInvalid(directory, "it has no readable blueprint.yaml", error);
  });
  const file = validate(blueprintFileSchema, parseYaml(text, "blueprint.yaml"), "blueprint.yaml");
  const parts = await Promise.all(file.parts.map(async (name) => loadPart(join(directory, "parts", name), name)));
  return { name: file.name, version: file.version, series: file.series, parts };
}

async function loadPart(directory: string, name: string): Promise<Part> {
  const files = new Map<string, string>();
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw blueprintInvalid(`parts/${name}`, "the folder cannot be read", error);
  });
  for (const entry of entries) {
    const path = relative(directory, join(entry.parentPath, entry.name)).split(sep).join("/");
    // Python leaves its bytecode beside the sources when an addon's tests have run.
    if (!entry.isFile() || path.includes("__pycache__")) continue;
    files.set(path, await readFile(join(directory, path), "utf8"));
  }
  const take = (file: string): Json | undefined => {
    const text = files.get(file);
    files.delete(file);
    return text === undefined ? undefined : parseYaml(text, `parts/${name}/${file}`);
  };
  const body = take("part.yaml");
  if (body === undefined) throw blueprintInvalid(`parts/${name}`, "it has no part.yaml");
  const head = validate(partHeadSchema, body, `parts/${name}/part.yaml`);
  return { name, head, body, platform: take("compose.yaml"), colour: take("colour.yaml"), files };
}

/** YAML as plain data. `parseDocument` collects errors instead of throwing, and an unresolved alias throws only in `toJS`. */
export function parseYaml(text: string, where: string): Json {
  const document = parseDocument(text, { merge: true });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) throw blueprintInvalid(where, fault.message.split("\n")[0] ?? "not valid YAML");
  try {
    return document.toJS() as Json;
  } catch (error) {
    throw blueprintInvalid(where, messageOf(error), error);
  }
}

export function validate<Schema extends z.ZodType>(schema: Schema, data: Json, where: string): z.infer<Schema> {
  const parsed = schema.safeParse(data);
  if (!parsed.success) throw blueprintInvalid(where, z.prettifyError(parsed.error).replaceAll("\n", " "));
  return parsed.data;
}
