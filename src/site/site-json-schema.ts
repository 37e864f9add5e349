import * as z from "zod";
import { SITE_DEFAULTS } from "./site-defaults.ts";
import { siteFileSchema } from "./site-schema.ts";

export interface JsonSchema {
  readonly [key: string]: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly default?: unknown;
}

/** The schema of site.yaml for editors, with the defaults shown. */
export function siteJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(siteFileSchema, { io: "input" }) as JsonSchema;
  return withDefaults({ title: "millwright site.yaml", ...schema }, SITE_DEFAULTS);
}

function withDefaults(schema: JsonSchema, defaults: unknown): JsonSchema {
  if (schema.properties === undefined || defaults === null || typeof defaults !== "object" || Array.isArray(defaults)) {
    return defaults === undefined ? schema : { ...schema, default: defaults };
  }
  const known = defaults as Readonly<Record<string, unknown>>;
  const properties = Object.fromEntries(
    Object.entries(schema.properties).map(([key, inner]) => {
      if (key !== "environments") return [key, withDefaults(inner, known[key])];
      const environment = inner.additionalProperties;
      if (typeof environment !== "object") return [key, inner];
      // In an environment the site's own values are the default of everything but the host's.
      return [key, { ...inner, additionalProperties: withDefaults(environment, { host: SITE_DEFAULTS.host }) }];
    }),
  );
  return { ...schema, properties };
}

/** Names of the keys that may stand at a path of site.yaml, for did-you-mean. */
export function keysAt(schema: JsonSchema, path: readonly (string | number)[]): readonly string[] {
  const [step, ...rest] = path;
  const variants = [schema, ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  if (step === undefined) return [...new Set(variants.flatMap((variant) => Object.keys(variant.properties ?? {})))];
  return variants.flatMap((variant) => {
    const inner = typeof step === "number" ? variant.items : (variant.properties?.[step] ?? variant.additionalProperties);
    return typeof inner === "object" ? keysAt(inner, rest) : [];
  });
}
