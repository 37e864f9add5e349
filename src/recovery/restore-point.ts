import { lstat, mkdir, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { exists, namesIn, syncDirectory } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";

type Paths = Pick<HostPaths, "data" | "restorePoints">;

/** Folders that a restore puts others in the place of. */
const EXCHANGED = ["postgres", "filestore"] as const;

/**
 * What was restored takes the place of what is there, which is kept as the restore point of that run: four renames on one file system. May be cut
 * off anywhere and done again. The containers that use the folders must have ended.
 */
export async function exchange(paths: Paths, run: string): Promise<void> {
  const kept = join(paths.restorePoints, run);
  await mkdir(kept, { recursive: true, mode: 0o700 });
  for (const name of EXCHANGED) {
    const [live, restored, before] = [join(paths.data, name), join(paths.data, `recovery-${name}`), join(kept, name)];
    if (!(await exists(before))) {
      // Of a disk that was lost there is nothing to keep: an empty folder stands for it.
      if (await exists(live)) await move(live, before);
      else await mkdir(before);
    }
    if (!(await exists(live))) await move(restored, live);
  }
  await settle(paths, kept);
}

/** The other way round. */
export async function exchangeBack(paths: Paths, run: string): Promise<void> {
  const kept = join(paths.restorePoints, run);
  for (const name of EXCHANGED) {
    const [live, restored, before] = [join(paths.data, name), join(paths.data, `recovery-${name}`), join(kept, name)];
    if (!(await exists(before))) continue;
    if (await exists(live)) {
      // Made again for the next restore, and empty: what was restored is what is live.
      if (await exists(restored)) await rmdir(restored);
      await move(live, restored);
    }
    await move(before, live);
  }
  await rm(kept, { recursive: true, force: true });
  await settle(paths, paths.restorePoints);
}

/** Keeps the restore point of one run. */
export async function dropOtherRestorePoints(paths: Paths, run: string): Promise<number> {
  const others = (await namesIn(paths.restorePoints)).filter((name) => name !== run);
  for (const name of others) await rm(join(paths.restorePoints, name), { recursive: true, force: true });
  return others.length;
}

async function move(from: string, to: string): Promise<void> {
  if (!(await lstat(from)).isDirectory()) {
    throw new MillwrightError("STATE_DAMAGED", `${from} is not a folder.`, { subject: from, hint: "Look at it on the host: something has replaced it." });
  }
  await rename(from, to);
}

async function settle({ data }: Paths, kept: string): Promise<void> {
  for (const folder of [data, kept]) if (await exists(folder)) await syncDirectory(folder);
}
