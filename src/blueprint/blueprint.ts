import * as z from "zod";
import type { Json } from "../kernel/canonical.ts";
import { DERIVATION } from "../release/derived-name.ts";

/** `blueprint.yaml`: what kind of stack this is. */
export const blueprintFileSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  /** Odoo series, each with the tag of its official image and the user that the image runs as (they differ). */
  series: z.record(z.enum(["17.0", "18.0", "19.0"]), z.strictObject({ image: z.string(), uid: z.number().int(), gid: z.number().int() })),
  /** Parts in the order their services come up. */
  parts: z.array(z.string()),
});

const owner = { uid: z.number().int(), gid: z.number().int() };
const officialImage = z.strictObject({ source: z.string(), ...owner });
/** Made of another image of the blueprint: packages of its own distribution are put into it. */
const derivedImage = z.strictObject({ from: z.string(), packages: z.array(z.string().regex(DERIVATION.package)).min(1), ...owner });

/** The half of `part.yaml` that is known without a site: read before there is a view. */
export const partHeadSchema = z.object({
  summary: z.string(),
  /** View path of a boolean; the part is left out when it is false. */
  when: z.string().optional(),
  /** Whether its services run on a standby as well. */
  onStandby: z.boolean().default(false),
  /** Image catalogue: the tag or what it is made of, and the user the image is made for. */
  images: z.record(z.string(), z.union([officialImage, derivedImage])).default({}),
});

/** The other half, after interpolation. */
export const partBodySchema = z.object({
  /**
   * Names that the vault must hold, and where each comes from: made up at random; made as a key with a certificate that it signs itself; or from
   * outside, when only that has it (a certificate's key, an account somewhere else).
   */
  secrets: z
    .array(z.strictObject({ name: z.string().regex(/^[a-z][a-z0-9_]*$/), from: z.enum(["random", "key-pair", "outside"]).default("random") }))
    .default([]),
  directories: z
    .array(
      z.strictObject({ path: z.string().startsWith("/srv/millwright/"), uid: z.number().int(), gid: z.number().int(), mode: z.string().regex(/^0[0-7]{3}$/) }),
    )
    .default([]),
  roles: z
    .array(z.strictObject({ name: z.string(), secret: z.string(), purpose: z.enum(["owner", "monitor", "replication"]), connectionLimit: z.number().int() }))
    .default([]),
  /**
   * Files of the stack. `from` is relative to the part: `*.yaml` is data (written as YAML, or as JSON when `to` ends so), `*.hbs` is a
   * text template, a name with a trailing slash a folder, anything else is copied. `certificate` takes a PEM file of the site instead.
   */
  files: z
    .array(
      z.strictObject({
        from: z.string().optional(),
        certificate: z.enum(["chain", "ca", "offsite"]).optional(),
        secret: z.string().optional(),
        to: z.string(),
        uid: z.number().int().optional(),
      }),
    )
    .default([]),
});

export interface Part {
  readonly name: string;
  readonly head: z.infer<typeof partHeadSchema>;
  /** `part.yaml` as data, not yet interpolated. */
  readonly body: Json;
  /** `compose.yaml`: services of the platform. */
  readonly platform: Json | undefined;
  /** `colour.yaml`: services of each colour. */
  readonly colour: Json | undefined;
  /** `recovery.yaml`: services of the scratch place that backups are restored to. */
  readonly recovery: Json | undefined;
  /** Everything else in the folder, by path relative to it. */
  readonly files: ReadonlyMap<string, string>;
}

export interface Blueprint {
  readonly name: string;
  readonly version: string;
  readonly series: z.infer<typeof blueprintFileSchema>["series"];
  readonly parts: readonly Part[];
}
