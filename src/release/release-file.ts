import * as z from "zod";
import { hashOf } from "../kernel/canonical.ts";

export const RELEASE_ID = /^[0-9a-z][0-9a-z.-]{0,40}$/;

/**
 * `releases/<id>.yaml` in the site folder: an immutable application version. `seal` is the hash of everything else, so that a file edited
 * by hand is refused.
 */
export const releaseSchema = z.strictObject({
  version: z.literal(1),
  /** Such as `2026-11-24-1`; unique in the site, sorts by time. */
  id: z.string().regex(RELEASE_ID),
  site: z.string(),
  series: z.enum(["17.0", "18.0", "19.0"]),
  createdAt: z.string(),
  createdBy: z.string(),
  /** Git revision of the addons, with `-dirty` when the tree had changes; `none` outside git. */
  revision: z.string(),
  notes: z.string(),
  /** Image id (digest of its configuration): the same on every host that has the image. */
  image: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  /** Layer diff ids of the image, base first. */
  layers: z.array(z.string().regex(/^sha256:[0-9a-f]{64}$/)),
  base: z.string(),
  /** Hash of requirements.txt, empty without one. */
  requirements: z.string(),
  addons: z.record(
    z.string(),
    z.strictObject({
      version: z.string(),
      /** Everything in the addon. */
      content: z.string(),
      /** Only what can change the database: see `schemaHash`. */
      schema: z.string(),
    }),
  ),
  seal: z.string(),
});

export type Release = z.infer<typeof releaseSchema>;

export function sealOf(release: Omit<Release, "seal">): string {
  const { seal: _, ...rest } = release as Release;
  return hashOf(rest);
}
