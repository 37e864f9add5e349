import { MillwrightError } from "../kernel/errors.ts";
import { lastLines } from "../kernel/shell.ts";
import { chooseSet } from "./choose-set.ts";
import type { DatabaseBackup } from "./database-archive.ts";
import { brokenLog, lastingHoles } from "./holes.ts";
import { newestSet } from "./newest-set.ts";
import { repositoriesOf, restoredBy, type RecoveryRun } from "./recovery-context.ts";
import { recoveryProject } from "./recovery-deps.ts";
import { findGaps, type Gap } from "./wal-continuity.ts";

/** What is on its way into the archive has arrived after so long. */
const ARRIVAL_MILLISECONDS = 30_000;

/**
 * The backup that a restore begins with. Its repository is asked in the scratch place, since the plant's own database may be dead. Throws
 * ARCHIVE_BROKEN when all of the log is wanted and has a hole: PostgreSQL takes the hole for its end, and opens without a word.
 */
export async function restoreSource(run: RecoveryRun, service: string, signal: AbortSignal): Promise<DatabaseBackup> {
  const { archive } = repositoriesOf(run);
  const { target } = restoredBy(run);
  const ask = async (words: readonly string[]): Promise<string> => {
    const lines: string[] = [];
    const code = await run.compose.run(recoveryProject(run), run.paths.recovery, service, words, (line) => lines.push(line), signal);
    const output = lines.join("\n");
    if (code === 0) return output;
    throw new MillwrightError("RESTORE_FAILED", "The repository of the database does not tell what it holds.", {
      subject: "database",
      details: lastLines(output, 15),
    });
  };
  if (target.kind !== "latest") return chooseSet(archive.listing.backups(await ask(archive.listing.backupsWords)), target);
  const set = await newestSet(archive, ask);
  const look = async (): Promise<readonly Gap[]> => findGaps(archive.listing.segments(await ask(archive.listing.segmentsWords)), [set]);
  const holes = await lastingHoles(look, () => run.clock.sleep(ARRIVAL_MILLISECONDS, signal));
  if (holes.length > 0) throw brokenLog(holes, "A moment before it can be had: `millwright backup restore --to <time>`.");
  return set;
}
