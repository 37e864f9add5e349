import type { Json } from "../kernel/canonical.ts";
import { blueprintInvalid, fillTemplate, lookUp, soleExpression, type View } from "./template.ts";

/**
 * Fills in data that was parsed as YAML. Each string scalar is a template; one that is exactly `{{path}}` becomes the value itself with
 * its type. Keys are never templates, and values are filled in once, so no value can add a key, a line or another template.
 * A map with `x-when: path` is left out when that path is false.
 */
export function interpolate(data: Json, view: View, where: string): Json {
  const result = fill(data, view, where);
  if (result === undefined) throw blueprintInvalid(where, "x-when cannot leave the whole file out");
  return result;
}

function fill(data: Json, view: View, where: string): Json | undefined {
  if (typeof data === "string") {
    if (!data.includes("{{")) return data;
    const path = soleExpression(data);
    return path === undefined ? fillTemplate(data, view, where) : lookUp(view, path, where);
  }
  if (data === null || typeof data !== "object") return data;
  if (isList(data)) return data.map((item, index) => fill(item, view, `${where} [${index}]`)).filter((item) => item !== undefined);
  const condition = data["x-when"];
  if (condition !== undefined && !holds(condition, view, where)) return undefined;
  const result: Record<string, Json> = {};
  for (const [key, value] of Object.entries(data)) {
    if (key === "x-when") continue;
    if (key.includes("{{")) throw blueprintInvalid(where, `the key "${key}" is a template; only values can be`);
    const filled = fill(value, view, `${where} ${key}`);
    if (filled !== undefined) result[key] = filled;
  }
  return result;
}

/** Whether the boolean at the path is true. Anything but a boolean is a fault: a text such as "false" would count as true. */
export function holds(condition: Json, view: View, where: string): boolean {
  if (typeof condition !== "string") throw blueprintInvalid(where, "x-when wants the path of a boolean");
  const value = lookUp(view, condition.split("."), where);
  if (typeof value !== "boolean") throw blueprintInvalid(where, `x-when: ${condition} is not a boolean`);
  return value;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
