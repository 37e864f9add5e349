import type { HostPaths } from "../blueprint/host-paths.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { JournalView } from "../observe/status.ts";
import { readJournalEnd } from "./journal-file.ts";
import { lastRuns } from "./last-runs.ts";

/** Far more than the journal's end holds. */
const ALL_RUNS = 1000;

/** The end of the journal for a status, which must be told whatever the journal is like: the oldest run that its end holds may lack its beginning: that one is left out. */
export async function journalView(paths: HostPaths): Promise<JournalView> {
  try {
    const { entries, head } = await readJournalEnd(paths.journal);
    return { runs: lastRuns(entries, ALL_RUNS).filter(({ kind }) => kind !== ""), entries: entries.at(-1)?.seq ?? 0, head };
  } catch (error) {
    if (!(error instanceof MillwrightError) || error.code !== "JOURNAL_BROKEN") throw error;
    return { runs: [], entries: 0, head: "", problem: error.message };
  }
}
