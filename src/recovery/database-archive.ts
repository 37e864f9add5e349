/** What a backup of the database holds: everything, what changed since the last full one, or since the last of any kind. */
export type BackupType = "full" | "diff" | "incr";

/** A backup of the whole database server in the repository. */
export interface DatabaseBackup {
  /** The repository's own name for it. */
  readonly label: string;
  readonly type: BackupType;
  /** ISO 8601. */
  readonly began: string;
  readonly ended: string;
  /** Bytes of the database, and bytes that this backup added to the repository. */
  readonly size: number;
  readonly added: number;
  /** First and last segment of the log that the backup needs. */
  readonly firstSegment: string;
  readonly lastSegment: string;
  /** Position in the log at which it ended, `0/5000138`; absent when the repository does not tell. */
  readonly end?: string;
  /** Pages were found damaged while it was made: it is kept, but never counts as good. */
  readonly isDamaged: boolean;
}

/** What a restore leads to. */
export type RestoreTarget =
  /** The end of the archive. */
  | { readonly kind: "latest" }
  /** The state at an instant, ISO 8601 with its zone. */
  | { readonly kind: "time"; readonly at: string }
  /** The state at the end of one backup. */
  | { readonly kind: "backup"; readonly label: string };

/** Backups of the database and its continuous log in a repository. Another program than pgBackRest can take this place. */
export interface DatabaseArchive {
  /** Makes the repository ready for this database; does nothing where it is. */
  prepare(): Promise<void>;
  /** Makes it ready for a restored database that has taken the place of the one that the repository was made ready for. */
  adopt(): Promise<void>;
  /** Sees one segment of the log arrive in the repository. Throws ARCHIVE_BROKEN with the program's words when it does not. */
  check(signal: AbortSignal): Promise<void>;
  /** Throws BACKUP_FAILED. What an earlier call left running is ended first. */
  backup(type: BackupType, signal: AbortSignal): Promise<DatabaseBackup>;
  /** Drops full backups but so many of the newest, with what builds on them and the log before them. */
  expire(keepFulls: number, signal: AbortSignal): Promise<void>;
  /** Finished backups, oldest first. */
  backups(): Promise<readonly DatabaseBackup[]>;
  /** Names of the archived segments of the log, without those that were cut off. */
  segments(signal: AbortSignal): Promise<readonly string[]>;
  /** What is wrong with what the repository holds, read byte by byte; empty when nothing is. */
  verify(signal: AbortSignal): Promise<readonly string[]>;
  /** `backups` and `segments` for a container of the database's image: the commands to be run there, and what their output says. */
  readonly listing: {
    readonly backupsWords: readonly string[];
    backups(output: string): readonly DatabaseBackup[];
    readonly segmentsWords: readonly string[];
    segments(output: string): readonly string[];
    /** By what `segmentsWords` says: the newest line of the log, and the command that tells its history; undefined while there is one line only. */
    newestHistory(output: string): { readonly timeline: number; readonly words: readonly string[] } | undefined;
  };
  /** The command that restores into an empty data folder, to be run in such a container; it begins with the backup of that label. */
  restoreWords(target: RestoreTarget, set: string): readonly string[];
  /** The same for a copy that goes on following: it asks this repository for all that it has missed. */
  standbyWords(set: string): readonly string[];
}
