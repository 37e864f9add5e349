import { MillwrightError } from "../kernel/errors.ts";
import type { Psql } from "../swap/psql.ts";
import type { DatabaseArchive } from "./database-archive.ts";

/** In the place of the site's own command while a restored database may still be taken back: PostgreSQL keeps its log meanwhile. */
const HELD = "/bin/false";

/** It stands before the site's own setting, and takes no restart. */
export async function holdArchiving(psql: Psql): Promise<void> {
  await psql.query("postgres", `ALTER SYSTEM SET archive_command = '${HELD}';`);
}

export async function letArchive(psql: Psql): Promise<void> {
  await psql.query("postgres", "ALTER SYSTEM RESET archive_command;");
  await psql.query("postgres", "SELECT pg_reload_conf();");
}

/** True while no run is under way: a restore has put its database in place and could not finish. */
export const IS_HELD_SQL = `current_setting('archive_command') = '${HELD}'`;

export async function isArchivingHeld(psql: Psql): Promise<boolean> {
  const [row] = await psql.query("postgres", `SELECT ${IS_HELD_SQL};`);
  return row?.[0] === "t";
}

/**
 * Makes the host's own repository ready for its database, and finishes what a restore has left: nothing else would let that database archive its log,
 * which fills the disk. Only for a run, since a restore under way must hold it.
 */
export async function readyArchive({ psql, archive }: { readonly psql: Psql; readonly archive: Pick<DatabaseArchive, "prepare" | "adopt"> }): Promise<void> {
  try {
    await archive.prepare();
  } catch (error) {
    // Held, it is what was restored here; the repository is still that of the empty database which came with the host's first deploy.
    if (!(error instanceof MillwrightError) || error.code !== "ARCHIVE_FOREIGN" || !(await isArchivingHeld(psql))) throw error;
    await archive.adopt();
  }
  // After the repository: while it is held, the next command knows that there is still something to finish.
  if (await isArchivingHeld(psql)) await letArchive(psql);
}
