import { rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { exists, makeDirectory, syncDirectory } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { lastLines } from "../kernel/shell.ts";
import type { DatabaseArchive } from "./database-archive.ts";
import { newestSet } from "./newest-set.ts";
import { reasonIn } from "./pgbackrest-output.ts";
import { forgetPromotion } from "./promotion.ts";
import { recoveryProject } from "./recovery-deps.ts";
import { requireScratchSpace } from "./scratch-space.ts";
import { clearScratch, makeCluster, type ScratchPlace, scratchFolders } from "./scratch.ts";

/** Has a way out, to the offsite repository, and not the host's own repository. */
const SERVICE = "database-offsite";

interface SeedDeps extends ScratchPlace {
  /** That of the offsite repository. */
  readonly archive: DatabaseArchive;
  readonly materialiseRecovery: () => Promise<void>;
  /** Of the disk that the data lie on. */
  readonly freeBytes: () => Promise<number>;
}

/**
 * Puts a copy of the newest backup in the offsite repository in the place of a standby's database: it goes on from there by the log. It is restored
 * beside, so that a cut leaves no half of it where a server would start on it, and a copy that cannot be made leaves the server that runs alone. That is
 * ended by `makeWay`.
 */
export async function seedStandby(deps: SeedDeps, signal: AbortSignal, makeWay: () => Promise<void>): Promise<{ readonly summary: string }> {
  await deps.materialiseRecovery();
  await clearScratch(deps);
  await makeCluster(deps);
  const { archive } = deps;
  const set = await newestSet(archive, (words) => run(deps, words, signal, "The offsite repository does not tell what it holds"));
  // The files are laid into their place, not beside it.
  requireScratchSpace({ database: set, files: { bytes: 0 } }, await deps.freeBytes());
  await run(deps, archive.standbyWords(set.label), signal, "The copy of the database could not be made");
  await makeWay();
  const kept = await clearPlace(deps.paths);
  const place = dirname(deps.paths.cluster);
  await forgetPromotion(deps.paths);
  await rename(join(scratchFolders(deps).postgres, "18"), place);
  await syncDirectory(dirname(place));
  await clearScratch(deps);
  return { summary: `from ${set.label}${kept === undefined ? "" : `; the database before is kept in ${kept}`}` };
}

/**
 * A copy that followed is in the repository and on the other host. A database of this host's own may have what came over to nobody, when the host
 * died and another took over: it is kept as a restore point, as what a restore replaces is.
 */
async function clearPlace(paths: HostPaths): Promise<string | undefined> {
  const place = dirname(paths.cluster);
  if (!(await exists(place))) return undefined;
  if (await exists(join(paths.cluster, "standby.signal"))) {
    await rm(place, { recursive: true, force: true });
    return undefined;
  }
  const kept = join(paths.restorePoints, "before-standby", "postgres");
  await rm(kept, { recursive: true, force: true });
  await makeDirectory(kept, 0o700);
  await rename(place, join(kept, basename(place)));
  await syncDirectory(kept);
  return kept;
}

async function run({ compose, paths, ...deps }: SeedDeps, words: readonly string[], signal: AbortSignal, what: string): Promise<string> {
  const lines: string[] = [];
  const code = await compose.run(recoveryProject(deps), paths.recovery, SERVICE, words, (line) => lines.push(line), signal);
  const output = lines.join("\n");
  if (code === 0) return output;
  const details = lastLines(output, 15);
  throw new MillwrightError("RESTORE_FAILED", `${what}: ${reasonIn(details) ?? `it ended with ${code}`}`, { subject: "database", details });
}
