import { join } from "node:path";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { exists, writeDurable } from "../kernel/durable-file.ts";
import { type HostMetrics, metricsText } from "../observe/metrics-text.ts";
import { readBackupRecords } from "../recovery/backup-record.ts";
import { readDrillRecord } from "../recovery/drill-record.ts";
import { readServing } from "../swap/serving.ts";
import type { JournalContent } from "./journal-chain.ts";
import { lastRuns } from "./last-runs.ts";

/**
 * Leaves the journal's head and what serves for the stack's node exporter, which reads whole files only. A stack without monitoring has no
 * folder for it.
 */
export async function writeMetrics(paths: HostPaths, journal: Pick<JournalContent, "entries" | "head">): Promise<void> {
  if (!(await exists(paths.metrics))) return;
  const [serving, backups, drill] = await Promise.all([readServing(paths), readBackupRecords(paths), readDrillRecord(paths, "local")]);
  const backup = backups.at(-1);
  const offsiteEnded = backups.findLast(({ offsite }) => offsite !== undefined)?.offsite?.ended;
  const metrics: HostMetrics = {
    entries: journal.entries.length,
    head: journal.head,
    ...(serving === undefined ? {} : { serving }),
    ...(backup === undefined ? {} : { backup }),
    ...(offsiteEnded === undefined ? {} : { offsiteEnded }),
    ...(drill === undefined ? {} : { drill }),
    runs: lastRuns(journal.entries, Number.POSITIVE_INFINITY),
  };
  // The exporter is another user's.
  await writeDurable(join(paths.metrics, "millwright.prom"), metricsText(metrics), { mode: 0o644 });
}
