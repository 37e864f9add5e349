import { createRequire } from "node:module";
import type Handlebars from "handlebars";
import * as runtimeModule from "handlebars/runtime.js";
import { MillwrightError } from "../kernel/errors.ts";
import type { Json } from "../kernel/canonical.ts";
import { PREPARED, type PreparedTemplate } from "./prepared.ts";
import { QUOTING } from "./quoting.ts";

export type View = { readonly [key: string]: Json };
type Path = readonly string[];

type Engine = ReturnType<typeof Handlebars.create>;

// Its types leave the export out.
const runtime = withHelpers((runtimeModule as unknown as { readonly default: typeof Handlebars }).default);

let whole: Engine | undefined;

/** Four fifths of Handlebars are its compiler: loaded for a template that the build has not prepared, and from beside the bundle. */
function compiler(): Engine {
  whole ??= withHelpers(createRequire(import.meta.filename)("handlebars") as typeof Handlebars);
  return whole;
}

function withHelpers({ create }: typeof Handlebars): Engine {
  const engine = create();
  for (const name of Object.keys(engine.helpers)) if (!["if", "unless", "each"].includes(name)) engine.unregisterHelper(name);
  for (const [name, quote] of Object.entries(QUOTING)) {
    engine.registerHelper(name, (value: unknown) => {
      // A helper's missing argument does not throw even in strict mode; it arrives as undefined.
      if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") throw new Error(`{{${name} …}} got no value`);
      return quote(String(value));
    });
  }
  return engine;
}

const KNOWN = Object.fromEntries(["if", "unless", "each", ...Object.keys(QUOTING)].map((name) => [name, true]));
const OPTIONS = { noEscape: true, strict: true, knownHelpersOnly: true, knownHelpers: KNOWN } as const;

/** Fills one template in. `where` names the file (and the place in it) for the error. */
export function fillTemplate(template: string, view: View, where: string): string {
  try {
    return templateOf(template)(view);
  } catch (error) {
    throw blueprintInvalid(where, error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error), error);
  }
}

type Template = (view: View) => string;

/** By text: both colours are made of the same templates. */
const templates = new Map<string, Template>();

function templateOf(text: string): Template {
  const known = templates.get(text);
  if (known !== undefined) return known;
  const prepared = Object.hasOwn(PREPARED.templates, text) ? PREPARED.templates[text] : undefined;
  const template = prepared === undefined ? compile(text) : fromPrepared(prepared);
  templates.set(text, template);
  return template;
}

function compile(text: string): Template {
  const program = compiler().parse(text);
  return checked(neededPaths(program), compiler().compile<View>(program, OPTIONS));
}

/** A template as the build writes it down: JavaScript of an object of type `PreparedTemplate`. */
export function prepareTemplate(text: string): string {
  const program = compiler().parse(text);
  // Declared as what it becomes; it is the text of it.
  const specification = compiler().precompile(program, OPTIONS) as string;
  return `{ needed: ${JSON.stringify(neededPaths(program))}, specification: ${specification} }`;
}

export function fromPrepared({ needed, specification }: PreparedTemplate): Template {
  return checked(needed, runtime.template<View>(specification));
}

function checked(needed: readonly Path[], fill: Template): Template {
  return (view) => {
    for (const path of needed) lookUp(view, path, "a condition or helper");
    return fill(view);
  };
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
function neededPaths(program: hbs.AST.Program): readonly Path[] {
  return program.body.flatMap((statement) => {
    if (statement.type === "PartialStatement" || statement.type === "DecoratorBlock" || statement.type === "Decorator")
      throw new Error(`${statement.type} is not allowed`);
    if (statement.type === "MustacheStatement") return pathsOf((statement as hbs.AST.MustacheStatement).params);
    if (statement.type !== "BlockStatement") return [];
    const block = statement as hbs.AST.BlockStatement;
    const inside = block.path.original === "each" ? [] : neededPaths(block.program);
    return [...pathsOf(block.params), ...inside, ...(block.inverse ? neededPaths(block.inverse) : [])];
  });
}

function pathsOf(parameters: readonly hbs.AST.Expression[]): readonly Path[] {
  return parameters.filter((parameter) => parameter.type === "PathExpression").map((parameter) => (parameter as hbs.AST.PathExpression).parts.map(String));
}
