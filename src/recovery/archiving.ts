import type { Docker } from "../docker/docker.ts";
import { findContainer } from "../docker/find-container.ts";
import { containerPsql } from "../swap/psql.ts";
import { IS_HELD_SQL } from "./ready-archive.ts";

/** How the backups that are made all day long do; what is not running is not told. */
export interface Archiving {
  /**
   * When a segment of the database's log was last archived in every place, ISO 8601; how many wait, and the bytes of all of the log on the data disk;
   * `isHeld` when a restore has put its database in place and could not let it archive.
   */
  readonly log?: { readonly archived?: string; readonly waiting: number; readonly bytes: number; readonly isHeld?: true };
  /** Since when new files do not reach the offsite repository, ISO 8601; absent while they do. */
  readonly filesFailSince?: string;
}

const LOG = `SELECT coalesce(to_char(last_archived_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), ''),
  (SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'), (SELECT coalesce(sum(size), 0) FROM pg_ls_waldir()), ${IS_HELD_SQL} FROM pg_stat_archiver;`;
const LIMIT_MILLISECONDS = 10_000;

export async function readArchiving(docker: Docker, stack: string, hasOffsite: boolean): Promise<Archiving> {
  const [database, backup] = [await findContainer(docker, stack, "database"), await findContainer(docker, stack, "backup")];
  return {
    ...(database?.health === "healthy" ? { log: await readLog(docker, stack) } : {}),
    ...(hasOffsite && backup?.state === "running" ? await readTrouble(docker, backup.id) : {}),
  };
}

async function readLog(docker: Docker, stack: string): Promise<NonNullable<Archiving["log"]>> {
  const [row] = await containerPsql(docker, stack).query("postgres", LOG);
  const [archived = "", waiting = "0", bytes = "0", isHeld = "f"] = row ?? [];
  return { ...(archived === "" ? {} : { archived }), waiting: Number(waiting), bytes: Number(bytes), ...(isHeld === "t" ? { isHeld: true as const } : {}) };
}

async function readTrouble(docker: Docker, container: string): Promise<Pick<Archiving, "filesFailSince">> {
  const { output } = await docker.exec(container, ["/bin/sh", "/opt/millwright/files.sh", "trouble"], { limitMilliseconds: LIMIT_MILLISECONDS });
  const since = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/m.exec(output)?.[0];
  return since === undefined ? {} : { filesFailSince: since };
}
