import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import * as z from "zod";
import { type Json, sha256 } from "../kernel/canonical.ts";
import { parseYaml } from "../kernel/parse-yaml.ts";
import { type Blueprint, blueprintFileSchema, type Part, partHeadSchema } from "./blueprint.ts";
import { PREPARED } from "./prepared.ts";
import { blueprintInvalid } from "./template.ts";

/**
 * Reads a blueprint folder: the only input and output of this room. Synchronous, for these are many small files that nothing else waits
 * beside: each way through the thread pool takes longer than the reading.
 */
export function loadBlueprint(directory: string): Blueprint {
  const text = read(directory, "it has no readable blueprint.yaml", () => readFileSync(join(directory, "blueprint.yaml"), "utf8"));
  const file = validate(blueprintFileSchema, blueprintYaml(text, "blueprint.yaml"), "blueprint.yaml");
  const parts = file.parts.map((name) => loadPart(join(directory, "parts", name), name));
  return { name: file.name, version: file.version, series: file.series, parts };
}

function loadPart(directory: string, name: string): Part {
  const entries = read(`parts/${name}`, "the folder cannot be read", () => readdirSync(directory, { recursive: true, withFileTypes: true }));
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join("/"))
    // Python leaves its bytecode beside the sources when an addon's tests have run.
    .filter((path) => !path.includes("__pycache__"));
  const files = new Map(paths.map((path) => [path, readFileSync(join(directory, path), "utf8")]));
  const take = (file: string): Json | undefined => {
    const text = files.get(file);
    files.delete(file);
    return text === undefined ? undefined : blueprintYaml(text, `parts/${name}/${file}`);
  };
  const body = take("part.yaml");
  if (body === undefined) throw blueprintInvalid(`parts/${name}`, "it has no part.yaml");
  const head = validate(partHeadSchema, body, `parts/${name}/part.yaml`);
  return { name, head, body, platform: take("compose.yaml"), colour: take("colour.yaml"), recovery: take("recovery.yaml"), files };
}

function read<Found>(where: string, fault: string, look: () => Found): Found {
  try {
    return look();
  } catch (error) {
    throw blueprintInvalid(where, fault, error);
  }
}

/** YAML of the blueprint as plain data. */
export function blueprintYaml(text: string, where: string): Json {
  const prepared = PREPARED.yaml[sha256(text)];
  if (prepared !== undefined) return prepared;
  const parsed = parseYaml(text, { merge: true });
  if (parsed.kind === "fault") throw blueprintInvalid(where, parsed.fault);
  return parsed.data as Json;
}

export function validate<Schema extends z.ZodType>(schema: Schema, data: Json, where: string): z.infer<Schema> {
  const parsed = schema.safeParse(data);
  if (!parsed.success) throw blueprintInvalid(where, z.prettifyError(parsed.error).replaceAll("\n", " "));
  return parsed.data;
}
