import type { Readable } from "node:stream";
import type { HostPaths } from "../blueprint/host-paths.ts";
import type { Colour, Stack } from "../blueprint/stack.ts";
import type { Compose, Docker } from "../docker/docker.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Events } from "../kernel/events.ts";
import type { Secret } from "../kernel/secret.ts";
import type { Psql } from "../swap/psql.ts";
import type { Beginning } from "./beginning.ts";
import type { DatabaseArchive } from "./database-archive.ts";
import type { Following } from "./following.ts";
import type { FileRepository } from "./file-repository.ts";
import type { Repositories } from "./repositories.ts";

/** What backups, drills and restores need of the world. */
export interface RecoveryDeps {
  /** The stack that is current on the host. */
  readonly stack: Stack;
  readonly paths: HostPaths;
  readonly docker: Docker;
  readonly compose: Compose;
  /** The plant's database, and the one in the scratch place. */
  readonly psql: Psql;
  readonly scratchPsql: Psql;
  readonly archive: DatabaseArchive;
  readonly files: FileRepository;
  /** Absent where the site has no offsite repository. */
  readonly offsite?: Repositories;
  readonly clock: Clock;
  readonly events: Events;
  /** Writes the scratch place's compose.yaml, and the files it mounts, for a release. */
  readonly materialiseRecovery: (image: string) => Promise<void>;
  /** The release's image as an archive of what is on top of its base, and the file of such an archive as an image on this host. */
  readonly saveRelease: (image: string) => Promise<Readable>;
  readonly loadRelease: (image: string, archivePath: string) => Promise<void>;
  /** A secret of the stack's vault; undefined when it has none of that name. */
  readonly secret: (name: string) => Promise<Secret | undefined>;
  /** Makes roles and passwords as the stack wants them: those of a restored database may be older than the vault's. */
  readonly provisionDatabase: () => Promise<void>;
  /** Users get the maintenance answer, and back to the release that serves. */
  readonly leadAway: () => Promise<void>;
  readonly leadBack: () => Promise<void>;
  /** Why the login page of the release that serves is not good; undefined when it is. */
  readonly pageProblem: () => Promise<string | undefined>;
  /** What fails of all that a swap asks a release, directly; undefined when that colour does not run. */
  readonly probe: (colour: Colour) => Promise<readonly { readonly name: string; readonly detail: string }[] | undefined>;
  /** Of the disk that the data lie on. */
  readonly freeBytes: () => Promise<number>;
  /** How the database here follows another; undefined where it follows none, or does not answer. */
  readonly following: () => Promise<Following | undefined>;
  /** When releases began to serve on this host, oldest first. Throws JOURNAL_BROKEN. */
  readonly beginnings: () => Promise<readonly Beginning[]>;
  readonly who: string;
}

/** Compose project of the scratch place. */
export function recoveryProject({ stack }: Pick<RecoveryDeps, "stack">): string {
  return `${stack.facts.stack}-recovery`;
}
