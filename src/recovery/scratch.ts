import { chmod, chown, rm } from "node:fs/promises";
import { join } from "node:path";
import { removeOneOffs } from "../docker/one-offs.ts";
import { exists, makeDirectory, namesIn } from "../kernel/durable-file.ts";
import { endRestic } from "./end-restic.ts";
import { type RecoveryDeps, recoveryProject } from "./recovery-deps.ts";

/** What one needs to use the scratch place. */
export type ScratchPlace = Pick<RecoveryDeps, "stack" | "paths" | "docker" | "compose">;

/** Where the database's image keeps its data, below its volume. */
const CLUSTER = "18/docker";

/** The folders that are restored to. */
export function scratchFolders({ paths }: Pick<ScratchPlace, "paths">): { readonly postgres: string; readonly filestore: string; readonly socket: string } {
  const folder = (name: string): string => join(paths.data, `recovery-${name}`);
  return { postgres: folder("postgres"), filestore: folder("filestore"), socket: folder("socket") };
}

/** Ends everything in the scratch place and removes what was restored. May be done again at any time. */
export async function clearScratch(run: ScratchPlace): Promise<void> {
  const project = recoveryProject(run);
  await endRestic(run.docker, run.stack.facts.stack, "restore");
  await removeOneOffs(run.docker, project);
  if (await exists(join(run.paths.recovery, "compose.yaml"))) await run.compose.down(project, run.paths.recovery);
  // The containers that could have put links here are gone.
  for (const folder of Object.values(scratchFolders(run))) {
    for (const name of await namesIn(folder)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Removes files that were laid into the filestore's place for another reason. */
export async function emptyScratchFiles(run: ScratchPlace): Promise<void> {
  const { filestore } = scratchFolders(run);
  for (const name of await namesIn(filestore)) await rm(join(filestore, name), { recursive: true, force: true });
}

/** The folders themselves, as the stack wants them: an exchange takes them away. */
export async function makeScratchFolders(run: ScratchPlace): Promise<void> {
  const folders: readonly string[] = Object.values(scratchFolders(run));
  const base = run.stack.facts.directories.filter(({ path }) => folders.some((folder) => folder.endsWith(path)));
  for (const { path, uid, gid, mode } of base) {
    const folder = folders.find((candidate) => candidate.endsWith(path)) ?? path;
    await makeDirectory(folder, 0o755);
    await chown(folder, uid, gid);
    await chmod(folder, Number.parseInt(mode, 8));
  }
}

/** An empty data folder for the database, as its image wants it. */
export async function makeCluster(run: ScratchPlace): Promise<void> {
  const { postgres } = scratchFolders(run);
  const owner = run.stack.facts.directories.find(({ path }) => path.endsWith("/data/recovery-postgres"));
  await makeDirectory(join(postgres, CLUSTER), 0o700);
  if (owner === undefined) return;
  for (const folder of [join(postgres, "18"), join(postgres, CLUSTER)]) await chown(folder, owner.uid, owner.gid);
}
