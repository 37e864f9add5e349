import Handlebars from "handlebars";
import { MillwrightError } from "../kernel/errors.ts";
import type { Json } from "../kernel/canonical.ts";
import { QUOTING } from "./quoting.ts";

export type View = { readonly [key: string]: Json };

const handlebars = Handlebars.create();
for (const name of Object.keys(handlebars.helpers)) if (!["if", "unless", "each"].includes(name)) handlebars.unregisterHelper(name);
for (const [name, quote] of Object.entries(QUOTING)) {
  handlebars.registerHelper(name, (value: unknown) => {
    // A helper's missing argument does not throw even in strict mode; it arrives as undefined.
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") throw new Error(`{{${name} …}} got no value`);
    return quote(String(value));
  });
}

const KNOWN = Object.fromEntries(["if", "unless", "each", ...Object.keys(QUOTING)].map((name) => [name, true]));
const OPTIONS = { noEscape: true, strict: true, knownHelpersOnly: true, knownHelpers: KNOWN } as const;

/** Fills one template in. `where` names the file (and the place in it) for the error. */
export function fillTemplate(template: string, view: View, where: string): string {
  try {
    checkPaths(handlebars.parse(template), view);
    return handlebars.compile(template, OPTIONS)(view);
  } catch (error) {
    throw blueprintInvalid(where, error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error), error);
  }
}

/** A template that is one plain `{{path}}` and nothing else: its path, else undefined. */
export function soleExpression(template: string): readonly string[] | undefined {
  const match = /^\{\{\s*([A-Za-z_][\w-]*(?:\.[\w-]+)*)\s*\}\}$/.exec(template);
  return match?.[1]?.split(".");
}

export function lookUp(view: View, path: readonly string[], where: string): Json {
  let at: Json = view;
  for (const key of path) {
    const next: Json | undefined = isMap(at) && Object.hasOwn(at, key) ? at[key] : undefined;
    if (next === undefined) throw blueprintInvalid(where, `the view has no "${path.join(".")}"`);
    at = next;
  }
  return at;
}

export function blueprintInvalid(where: string, why: string, cause?: unknown): MillwrightError {
  return new MillwrightError("BLUEPRINT_INVALID", `The blueprint has a fault in ${where}: ${why}.`, { subject: where, cause });
}

function isMap(value: Json): value is { readonly [key: string]: Json } {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/**
 * Strict mode throws for a missing `{{a}}` but not for `{{#if a}}`, `{{#each a}}` or a helper's argument: so every such path is looked up
 * beforehand. Inside `#each` the context is the item, and strict mode alone must do.
 */
function checkPaths(program: hbs.AST.Program, view: View): void {
  for (const statement of program.body) {
    if (statement.type === "PartialStatement" || statement.type === "DecoratorBlock" || statement.type === "Decorator")
      throw new Error(`${statement.type} is not allowed`);
    if (statement.type === "MustacheStatement") checkArguments((statement as hbs.AST.MustacheStatement).params, view);
    if (statement.type !== "BlockStatement") continue;
    const block = statement as hbs.AST.BlockStatement;
    checkArguments(block.params, view);
    if (block.path.original !== "each") checkPaths(block.program, view);
    if (block.inverse) checkPaths(block.inverse, view);
  }
}

function checkArguments(parameters: readonly hbs.AST.Expression[], view: View): void {
  for (const parameter of parameters) {
    if (parameter.type === "PathExpression") lookUp(view, (parameter as hbs.AST.PathExpression).parts.map(String), "a condition or helper");
  }
}
