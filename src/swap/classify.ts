import type { Release } from "../release/release-file.ts";

export interface Classification {
  readonly kind: "first" | "same" | "configuration" | "code-only" | "schema-changing";
  /** Each in words, for the plan and for people. */
  readonly reasons: readonly string[];
  /** Addons whose update the release would need. */
  readonly addons: readonly string[];
}

/**
 * What swapping from one release to the other means for the database. New code on a database that was not updated fails with
 * UndefinedColumn, and old code beside an updated one with NotNullViolation: so whenever the hashes do not prove that nothing in the
 * database changes, the answer is "schema-changing".
 * `outdated` are the services of the running release whose settings are not those that they would be started with now.
 */
export function classify(running: Release | undefined, next: Release, outdated: readonly string[] = []): Classification {
  if (running === undefined) return { kind: "first", reasons: ["no release serves yet: the database will be initialised"], addons: [] };
  if (running.image === next.image && outdated.length > 0) {
    return { kind: "configuration", reasons: [`new settings of ${outdated.join(" and ")}; Odoo reads them at its start`], addons: [] };
  }
  if (running.image === next.image) return { kind: "same", reasons: [`its image is that of release ${running.id}, which serves`], addons: [] };

  const schema: string[] = [];
  const code: string[] = [];
  const addons: string[] = [];
  if (running.series !== next.series) schema.push(`Odoo ${running.series} becomes ${next.series}`);
  // Another build of the same series may change Odoo's own views and fields; its content is not hashed addon by addon.
  if (running.base !== next.base) schema.push("its base image of Odoo is another one");
  for (const name of [...new Set([...Object.keys(running.addons), ...Object.keys(next.addons)])].sort()) {
    const [before, after] = [running.addons[name], next.addons[name]];
    const change = before === undefined ? "is new" : after === undefined ? "is gone" : before.schema !== after.schema ? "may change the database" : undefined;
    if (change !== undefined) {
      addons.push(name);
      schema.push(`addon ${name} ${change}`);
    } else if (before?.content !== after?.content) {
      code.push(`addon ${name} has new code`);
    }
  }
  if (running.requirements !== next.requirements) code.push("its Python requirements are others");
  if (schema.length > 0) return { kind: "schema-changing", reasons: schema, addons };
  return { kind: "code-only", reasons: code.length > 0 ? code : ["its addons are the same; only the image was built anew"], addons: [] };
}
