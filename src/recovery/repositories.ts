import * as z from "zod";
import { MillwrightError } from "../kernel/errors.ts";
import type { DatabaseArchive } from "./database-archive.ts";
import type { FileRepository } from "./file-repository.ts";

/** Where backups are kept: on the host itself, and away from it where the site says so. */
export const placeSchema = z.enum(["local", "offsite"]);
export type Place = z.infer<typeof placeSchema>;

/** What one place holds. */
export interface Repositories {
  readonly archive: DatabaseArchive;
  readonly files: FileRepository;
}

/** Both places, as the steps have them: the host's own always, the other only where the site has one. */
export interface Places extends Repositories {
  readonly offsite?: Repositories | undefined;
}

export function repositoriesAt(place: Place, places: Places): Repositories {
  if (place === "local") return places;
  if (places.offsite !== undefined) return places.offsite;
  throw new MillwrightError("BACKUP_NOT_FOUND", "The site has no offsite repository.", {
    subject: "offsite",
    hint: "State one, `backup.offsite` in site.yaml, then run `millwright deploy` and `millwright backup run`.",
  });
}
