import * as z from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { writeDurable } from "../kernel/durable-file.ts";
import { readState } from "../kernel/read-state.ts";

/** In each backup, and in plain view beside the repositories: the site folder, encrypted to its operators and its recovery key. */
export const SITE_ARCHIVE = "site.tar.gz.age";

/** What the operator's side sends: the host cannot open it. */
export const sentSiteSchema = z.strictObject({
  /** Of the folder as it is in plain. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  hasRecoveryKey: z.boolean(),
  archive: z
    .string()
    .max(24 * 1024 * 1024)
    .regex(/^-----BEGIN AGE ENCRYPTED FILE-----\n[A-Za-z0-9+/=\n]+-----END AGE ENCRYPTED FILE-----\n*$/, "must be an armored age file"),
});

export type SentSite = z.infer<typeof sentSiteSchema>;

const keptSiteSchema = z.object({ version: z.literal(1), at: z.string(), who: z.string(), ...sentSiteSchema.shape });

export type KeptSite = z.infer<typeof keptSiteSchema>;

/** The site folder that the next backup takes. */
export async function keepSite({ site }: Pick<HostPaths, "site">, kept: KeptSite): Promise<void> {
  await writeDurable(site, `${JSON.stringify(kept)}\n`, { mode: 0o600 });
}

/** Undefined on a host that was given none. */
export async function readKeptSite({ site }: Pick<HostPaths, "site">): Promise<KeptSite | undefined> {
  return await readState(site, keptSiteSchema, "Run `millwright deploy`: it brings the site folder again.");
}
