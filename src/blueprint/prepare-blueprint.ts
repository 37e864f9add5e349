import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Json, sha256 } from "../kernel/canonical.ts";
import { blueprintYaml } from "./load-blueprint.ts";
import { prepareTemplate, soleExpression } from "./template.ts";

/** The text of a module like `prepared.ts` for everything under a blueprint's folder. */
export async function prepareBlueprint(directory: string): Promise<string> {
  const yaml: Record<string, Json> = {};
  const templates = new Set<string>();
  for (const path of (await readdir(directory, { recursive: true })).sort()) {
    if (!path.endsWith(".yaml") && !path.endsWith(".hbs")) continue;
    const text = await readFile(join(directory, path), "utf8");
    if (path.endsWith(".hbs")) templates.add(text);
    else collect((yaml[sha256(text)] = blueprintYaml(text, path)), templates);
  }
  const lines = [...templates].map((template) => `${JSON.stringify(template)}: ${prepareTemplate(template)},`);
  return `export const PREPARED = { yaml: JSON.parse(${JSON.stringify(JSON.stringify(yaml))}), templates: {\n${lines.join("\n")}\n} };\n`;
}

function collect(data: Json, templates: Set<string>): void {
  if (typeof data === "string" && data.includes("{{") && soleExpression(data) === undefined) templates.add(data);
  if (data !== null && typeof data === "object") for (const value of Object.values(data)) collect(value, templates);
}
