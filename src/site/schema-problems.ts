import type * as z from "zod";
import { didYouMean } from "./did-you-mean.ts";
import { keysAt, type JsonSchema } from "./site-json-schema.ts";
import type { SitePath } from "./site-problem.ts";

/** A zod issue in words of site.yaml. */
export interface SchemaProblem {
  readonly path: SitePath;
  readonly message: string;
  readonly suggestion?: string;
}

export function schemaProblems(issues: readonly z.core.$ZodIssue[], input: unknown, schema: JsonSchema): readonly SchemaProblem[] {
  return issues.flatMap((issue): readonly SchemaProblem[] => {
    const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
    if (issue.code === "unrecognized_keys") {
      const known = keysAt(schema, path);
      return issue.keys.map((key) => withSuggestion({ path: [...path, key], message: "is not a key that is known here" }, didYouMean(key, known)));
    }
    if (issue.code === "invalid_key") {
      return [{ path, message: issue.issues[0]?.message ?? "is not a valid name" }];
    }
    const value = valueAt(input, path);
    if (value === undefined) {
      const where = issue.code === "invalid_union" && path.at(-1) !== "kind" ? [...path, "kind"] : path;
      return [{ path: where, message: "is missing" }];
    }
    if (issue.code === "invalid_value") return [choiceProblem(path, value, issue.values.map(String))];
    if (issue.code === "invalid_union") {
      const kinds = issue.errors.length === 0 ? unionKinds(schema, path.at(-1) === "kind" ? path.slice(0, -1) : path) : [];
      return kinds.length === 0 ? [{ path, message: "has no allowed form" }] : [choiceProblem(path, value, kinds)];
    }
    if (issue.code === "invalid_type") return [{ path, message: `must be ${expectedWord(issue.expected)}, and is ${writtenAs(value)}` }];
    if (issue.code === "too_big" && issue.origin !== "string")
      return [{ path, message: `must be at most ${issue.maximum}${issue.origin === "array" ? " entries" : ""}` }];
    if (issue.code === "too_small" && issue.origin !== "string") return [{ path, message: `must be at least ${issue.minimum}` }];
    return [{ path, message: issue.message }];
  });
}

function choiceProblem(path: SitePath, value: unknown, choices: readonly string[]): SchemaProblem {
  const listed = choices.map((choice) => `"${choice}"`).join(", ");
  if (typeof value === "number" && choices.some((choice) => Number(choice) === value)) {
    // YAML reads 19.0 as the number 19.
    const meant = choices.find((choice) => Number(choice) === value && choice !== String(value));
    return { path, message: meant === undefined ? `must be ${listed}` : `must be a text: write it in quotes, "${meant}"` };
  }
  const problem = { path, message: `must be ${choices.length > 1 ? "one of " : ""}${listed}, and is ${writtenAs(value)}` };
  return withSuggestion(problem, typeof value === "string" ? didYouMean(value, choices) : undefined);
}

function withSuggestion(problem: SchemaProblem, suggestion: string | undefined): SchemaProblem {
  return suggestion === undefined ? problem : { ...problem, suggestion };
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map of keys",
  record: "a map of keys",
};

function expectedWord(expected: string): string {
  return EXPECTED[expected] ?? expected;
}

function writtenAs(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`;
  return typeof value === "number" || typeof value === "boolean" ? `the ${typeof value} ${value}` : "a map";
}

function valueAt(input: unknown, path: SitePath): unknown {
  return path.reduce<unknown>(
    (value, step) => (value !== null && typeof value === "object" ? (value as Record<string, unknown>)[String(step)] : undefined),
    input,
  );
}

/** The `kind` values of the union at a path. */
function unionKinds(schema: JsonSchema, path: SitePath): readonly string[] {
  const at = path.reduce<readonly JsonSchema[]>(
    (schemas, step) =>
      schemas.flatMap((one) => {
        const inner = typeof step === "number" ? one.items : (one.properties?.[step] ?? one.additionalProperties);
        return typeof inner === "object" ? [inner, ...(inner.oneOf ?? [])] : [];
      }),
    [schema],
  );
  return [...new Set(at.flatMap((one) => (typeof one.properties?.["kind"]?.["const"] === "string" ? [one.properties["kind"]["const"]] : [])))];
}
