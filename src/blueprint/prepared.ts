import type { Json } from "../kernel/canonical.ts";

export interface PreparedTemplate {
  /** See `neededPaths`. */
  readonly needed: readonly (readonly string[])[];
  /** What `Handlebars.precompile` gives. */
  readonly specification: object;
}

export interface Prepared {
  /** Data by the SHA-256 of the YAML. */
  readonly yaml: Readonly<Record<string, Json>>;
  /** By the template's text. */
  readonly templates: Readonly<Record<string, PreparedTemplate>>;
}

/**
 * What the build has worked out of the blueprint, so that a command need not: `bin/build-cli.js` puts `prepareBlueprint`'s in place of this
 * module. It is looked up by content: without a build it holds nothing, and a file that was changed since is read as it stands.
 */
export const PREPARED: Prepared = { yaml: {}, templates: {} };
