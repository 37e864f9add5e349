import type { HostPaths } from "../blueprint/host-paths.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { readJournalEnd } from "./journal-file.ts";
import { planOfRun } from "./run-store.ts";

/** What an open run does now, by the plan and the journal: the title of the step that it is in. Undefined when the journal does not say. */
export async function stepUnderWay(paths: HostPaths, run: string): Promise<string | undefined> {
  try {
    const { entries } = await readJournalEnd(paths.journal);
    const last = entries.findLast((entry) => entry.run === run && entry.step !== "");
    if (last === undefined || (last.kind !== "begun" && last.kind !== "undoing")) return undefined;
    const title = (await planOfRun(paths, run)).steps.find(({ id }) => id === last.step)?.title;
    return title === undefined || last.kind === "begun" ? title : `Undo: ${title}`;
  } catch (error) {
    // A status must be told whatever the files are like: this is only more of it, and a broken journal is among its concerns.
    if (error instanceof MillwrightError) return undefined;
    throw error;
  }
}
