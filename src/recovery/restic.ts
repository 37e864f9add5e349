import type { Docker } from "../docker/docker.ts";
import { findContainer } from "../docker/find-container.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { lastLines } from "../kernel/shell.ts";
import { endRestic } from "./end-restic.ts";
import type { FileRepository, SnapshotKind } from "./file-repository.ts";
import type { Place } from "./repositories.ts";
import { resticProblem, snapshotOfBackup, snapshotsOfListing } from "./restic-output.ts";

const LONG_SECONDS = 12 * 60 * 60;
/** To say what there is, the offsite repository may take so long. */
const LOOK_SECONDS = 120;
/** Ids are 64 characters, and a command line has an end. */
const AT_ONCE = 1000;

interface Names {
  /** Names the snapshots' host: a container's own name changes with each. */
  readonly stack: string;
  readonly database: string;
}

/** restic in the container `backup`, which has the files, the repositories and their key. */
export function restic(docker: Docker, { stack, database }: Names, place: Place = "local"): FileRepository {
  const paths: Readonly<Record<SnapshotKind, string>> = { files: `/data/filestore/${database}`, host: "/host" };
  const run = async (
    words: readonly string[],
    signal?: AbortSignal,
    mode: readonly string[] = place === "local" ? ["run"] : ["offsite", String(signal === undefined ? LOOK_SECONDS : LONG_SECONDS)],
  ): Promise<{ readonly code: number; readonly output: string }> => {
    const container = await findContainer(docker, stack, "backup");
    if (container?.state !== "running") {
      throw new MillwrightError("PLATFORM_DOWN", "The service backup does not run, so the files cannot be backed up or restored.", { subject: "backup" });
    }
    return await docker.exec(container.id, ["/bin/sh", "/opt/millwright/files.sh", ...mode, ...words], {
      limitMilliseconds: LONG_SECONDS * 1000,
      ...(signal === undefined ? {} : { signal }),
    });
  };
  const must = async (what: string, words: readonly string[], signal?: AbortSignal, mode?: readonly string[]): Promise<string> => {
    const { code, output } = await run(words, signal, mode);
    const problem = resticProblem(code);
    if (problem === undefined) return output;
    throw new MillwrightError(code === 10 || code === 12 ? "ARCHIVE_BROKEN" : "BACKUP_FAILED", `${what}: ${problem}.`, {
      subject: "files",
      details: lastLines(output, 15),
    });
  };

  return {
    async prepare() {
      const { code } = await run(["--quiet", "cat", "config"]);
      // Any other failure must not make a second repository beside one that is only out of reach.
      if (code === 10) await must("The repository of the files cannot be made", ["--quiet", "init"]);
      else if (code !== 0) await must("The repository of the files cannot be opened", ["--quiet", "cat", "config"]);
    },
    take: async (kind, tag, signal) =>
      snapshotOfBackup(
        await must("The files could not be backed up", ["--json", "--quiet", "backup", "--host", stack, "--tag", `${kind},${tag}`, paths[kind]], signal),
      ),
    async snapshots(kind) {
      const words = ["--json", "--no-lock", "snapshots", "--host", stack, "--path", paths[kind]];
      const { code, output } = await run(words);
      // Before the first backup there is no repository.
      if (code === 10) return [];
      return snapshotsOfListing(code === 0 ? output : await must("The snapshots cannot be listed", words));
    },
    async restore(snapshot, { fillIn }, signal) {
      const overwrite = fillIn ? "never" : "if-changed";
      await must("The files could not be restored", ["--quiet", "restore", `${snapshot}:/data`, "--target", "/recovery", "--overwrite", overwrite], signal);
    },
    async lay(name, signal) {
      const open = ["offsite-open", String(LOOK_SECONDS)];
      const { code } = await run(["--quiet", "cat", "config"], signal, open);
      if (code === 10) await must(`The repository of ${name} cannot be made`, ["--quiet", "init"], signal, open);
      await must(`${name} could not be laid beside the backups`, ["--quiet", "backup", "--host", stack, `${paths.host}/${name}`], signal, open);
    },
    read: async (snapshot, name) => await must(`${name} cannot be read from the snapshot`, ["--quiet", "--no-lock", "dump", snapshot, `${paths.host}/${name}`]),
    async restoreHost(snapshot, signal) {
      await must("What the host needs could not be restored", ["--quiet", "restore", `${snapshot}:${paths.host}`, "--target", "/recovery"], signal);
    },
    async verify(share, signal) {
      const reading = share === undefined ? ["--read-data"] : [`--read-data-subset=${share}`];
      // Without a lock, and so without its turn: snapshots are taken meanwhile. What they add after it has begun it does not look at.
      await endRestic(docker, stack, "check");
      const { code, output } = await run(["--quiet", "--no-lock", "check", ...reading], signal).catch(async (error: unknown) => {
        if (signal.aborted) await endRestic(docker, stack, "check");
        throw error;
      });
      if (code === 0) return [];
      // 1 is what a check that has found something ends with; with the others it has not looked.
      if (code !== 1) throw new MillwrightError("BACKUP_FAILED", `The repository of the files could not be verified: ${resticProblem(code)}.`);
      return lastLines(output, 15);
    },
    async forget(snapshots, signal) {
      for (let next = 0; next < snapshots.length; next += AT_ONCE)
        await must("Old snapshots could not be dropped", ["--quiet", "forget", ...snapshots.slice(next, next + AT_ONCE)], signal);
      if (snapshots.length > 0) await must("The space of old snapshots could not be freed", ["--quiet", "prune"], signal);
    },
  };
}
