import type { Docker } from "../docker/docker.ts";
import { findContainer } from "../docker/find-container.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { lastLines } from "../kernel/shell.ts";
import type { DatabaseArchive, DatabaseBackup, RestoreTarget } from "./database-archive.ts";
import { backupsOfInfo, databaseOfInfo, newestHistoryOfListing, problemsOfVerify, reasonIn, segmentsOfListing } from "./pgbackrest-output.ts";
import type { Place } from "./repositories.ts";

const STANZA = "main";
const INFO = ["--output=json", "info"];
const ARCHIVE = `archive/${STANZA}`;
const LIST_ARCHIVE = ["--output=json", "--recurse", "repo-ls", ARCHIVE];
/** Each names one repository only, so that nothing of the other can fail what is done with it. */
const CONFIG: Readonly<Record<Place, string>> = { local: "/etc/pgbackrest/pgbackrest.conf", offsite: "/etc/pgbackrest/offsite.conf" };
/** A first full backup of a big database over a slow line. */
const LONG_MILLISECONDS = 12 * 60 * 60_000;

/**
 * Ends a command that outlived who started it, and waits for it: its lock would refuse the next one. Ended this way it ends its workers,
 * too; killed, they would go on and hold the lock.
 */
const END_RUNNING = `
for pass in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
  found=
  for process in /proc/[0-9]*; do
    # By the program's name: this script's own words hold all that is looked for.
    [ "$(cat "$process/comm" 2> /dev/null)" = pgbackrest ] || continue
    words=$(tr '\\0' ' ' < "$process/cmdline" 2> /dev/null) || continue
    case "$words" in *" backup "*|*" verify "*|*" expire"*) kill -TERM "\${process#/proc/}" 2> /dev/null; found=yes ;; esac
  done
  [ -n "$found" ] || exit 0
  sleep 1
done
exit 1
`;

/** pgBackRest in the database's own container: one version, and it ends with the container. */
export function pgbackrest(docker: Docker, stack: string, place: Place = "local"): DatabaseArchive {
  const container = async (): Promise<string> => {
    const found = await findContainer(docker, stack, "database");
    if (found?.state === "running") return found.id;
    throw new MillwrightError("PLATFORM_DOWN", "The database does not run, so its archive cannot be asked.", { subject: "database" });
  };
  const run = async (words: readonly string[], options: { readonly signal?: AbortSignal; readonly isLong?: boolean } = {}): Promise<Said> => {
    const { signal, isLong = false } = options;
    return await docker.exec(await container(), ["pgbackrest", `--stanza=${STANZA}`, `--config=${CONFIG[place]}`, ...words], {
      user: "postgres",
      ...(signal === undefined ? {} : { signal }),
      ...(isLong ? { limitMilliseconds: LONG_MILLISECONDS } : {}),
    });
  };
  const endRunning = async (): Promise<void> => {
    const { code } = await docker.exec(await container(), ["/bin/sh", "-c", END_RUNNING], { user: "postgres" });
    if (code !== 0) throw new MillwrightError("BACKUP_FAILED", "A backup that was cut off still runs in the database's container and does not end.");
  };
  const longRun = async (words: readonly string[], signal: AbortSignal): Promise<Said> => {
    await endRunning();
    try {
      return await run(words, { signal, isLong: true });
    } catch (error) {
      // The engine cannot be told to end it, and it must not go on behind a run that has ended.
      if (signal.aborted) await endRunning();
      throw error;
    }
  };
  const backups = async (): Promise<readonly DatabaseBackup[]> => {
    const said = await run(INFO);
    if (said.code !== 0) throw failed("ARCHIVE_BROKEN", "The backups of the database cannot be listed", said);
    return backupsOfInfo(said.output);
  };

  /** A new database beside the backups of the one that it replaces: making the repository ready for it would be the end of them. */
  const refuseForeign = async (): Promise<void> => {
    const known = databaseOfInfo((await run(INFO)).output);
    if (known === undefined) return;
    const words = ["psql", "-X", "-q", "-A", "-t", "-U", "postgres", "-d", "postgres", "-c", "SELECT system_identifier FROM pg_control_system()"];
    const said = await docker.exec(await container(), words, { user: "postgres" });
    if (said.code !== 0) throw failed("ARCHIVE_BROKEN", "The database does not tell who it is", said);
    if (Number(said.output.trim()) === known) return;
    throw new MillwrightError("ARCHIVE_FOREIGN", "The repository holds the backups of another database than the one that runs.", { subject: "database" });
  };

  return {
    async prepare() {
      await refuseForeign();
      const said = await run(["stanza-create"]);
      if (said.code !== 0) throw failed("ARCHIVE_BROKEN", "The repository cannot be made ready for the database", said);
    },
    async adopt() {
      const said = await run(["stanza-upgrade"]);
      if (said.code !== 0) throw failed("ARCHIVE_BROKEN", "The repository cannot be made ready for the restored database", said);
    },
    async check(signal) {
      const said = await run(["check"], { signal });
      if (said.code !== 0) throw failed("ARCHIVE_BROKEN", "The database's log does not arrive in the repository", said);
    },
    async backup(type, signal) {
      const said = await longRun([`--type=${type}`, "backup"], signal);
      if (said.code !== 0) throw failed("BACKUP_FAILED", "The database could not be backed up", said);
      const made = (await backups()).at(-1);
      if (made === undefined) throw failed("BACKUP_FAILED", "The backup of the database has ended, but the repository does not list it", said);
      if (made.isDamaged) {
        // pgBackRest itself ends with 0 and a warning.
        throw new MillwrightError("BACKUP_DAMAGED", `The database has damaged pages: backup ${made.label} holds them.`, {
          subject: made.label,
          hint: "What is backed up and archived is good: `millwright backup restore --to now` puts it in their place. Then look at the host's disks.",
          details: lastLines(said.output, 15),
        });
      }
      return made;
    },
    async expire(keepFulls, signal) {
      const words = ["--repo1-retention-full-type=count", `--repo1-retention-full=${keepFulls}`, "expire"];
      const said = await longRun(words, signal);
      if (said.code !== 0) throw failed("BACKUP_FAILED", "Old backups of the database could not be dropped", said);
    },
    backups,
    async segments(signal) {
      // Over SFTP each of them is a question of its own: with tens of thousands on a slow line it takes long.
      const said = await run(LIST_ARCHIVE, { signal, isLong: true });
      if (said.code !== 0) throw failed("ARCHIVE_BROKEN", "The archive cannot be listed", said);
      return segmentsOfListing(said.output);
    },
    async verify(signal) {
      const said = await longRun(["--output=text", "--verbose", "verify"], signal);
      if (said.code !== 0) throw failed("BACKUP_FAILED", "The repository of the database could not be verified", said);
      return problemsOfVerify(said.output);
    },
    listing: {
      backupsWords: ["pgbackrest", `--stanza=${STANZA}`, ...INFO],
      backups: backupsOfInfo,
      segmentsWords: ["pgbackrest", `--stanza=${STANZA}`, ...LIST_ARCHIVE],
      segments: segmentsOfListing,
      newestHistory(output) {
        const newest = newestHistoryOfListing(output);
        if (newest === undefined) return undefined;
        return { timeline: newest.timeline, words: ["pgbackrest", `--stanza=${STANZA}`, "repo-get", `${ARCHIVE}/${newest.path}`] };
      },
    },
    restoreWords: (target, set) => [...restoring(set), ...targetWords(target), "restore"],
    // By itself it would name the configuration that it has here, which in the database's own container is the host's own repository.
    standbyWords: (set) => [
      ...restoring(set),
      "--type=standby",
      `--recovery-option=restore_command=pgbackrest --stanza=${STANZA} --config=${CONFIG[place]} archive-get %f "%p"`,
      "restore",
    ],
  };
}

function restoring(set: string): readonly string[] {
  return ["pgbackrest", `--stanza=${STANZA}`, "--log-level-console=info", `--set=${set}`];
}

/**
 * Recovery ends by itself and opens the database: by default it would wait, read-only, for a person. A moment is looked for on the line of
 * the log on which the backup before it lies: the newest line, PostgreSQL's default, leaves out all between the moment of an earlier restore and that
 * restore, and ends without a word where it branches off.
 */
function targetWords(target: RestoreTarget): readonly string[] {
  switch (target.kind) {
    case "latest":
      return [];
    case "time":
      return ["--type=time", `--target=${target.at.replace("T", " ").replace("Z", "+00")}`, "--target-timeline=current", "--target-action=promote"];
    case "backup":
      return ["--type=immediate", "--target-action=promote"];
  }
}

interface Said {
  readonly code: number;
  readonly output: string;
}

function failed(code: "ARCHIVE_BROKEN" | "BACKUP_FAILED", what: string, said: Said): MillwrightError {
  const details = lastLines(said.output, 15);
  const why = reasonIn(details) ?? `pgBackRest ended with ${said.code}`;
  return new MillwrightError(code, `${what}: ${why}`, { subject: "database", details });
}
