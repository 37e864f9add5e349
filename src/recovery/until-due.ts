import type { Clock } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";

const LOOK_MILLISECONDS = 60_000;

/**
 * Does what may take hours and can as well be done later, until a backup comes due: a run holds the lock, and the backup would wait for it.
 * @throws BACKUP_DUE when it was ended for that
 */
export async function untilDue<Result>(clock: Clock, due: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const [end, over] = [new AbortController(), new AbortController()];
  const watch = async (): Promise<void> => {
    while (clock.now() < Date.parse(due)) await clock.sleep(LOOK_MILLISECONDS, over.signal);
    end.abort(new MillwrightError("BACKUP_DUE", `The backup of ${due.slice(11, 16)} UTC is due and goes first.`));
  };
  const watching = watch().catch((error: unknown) => {
    if (!over.signal.aborted) throw error;
  });
  try {
    return await work(AbortSignal.any([signal, end.signal]));
  } catch (error) {
    // Ended, it says that its stream was closed, or less.
    throw end.signal.aborted && !signal.aborted ? end.signal.reason : error;
  } finally {
    over.abort();
    await watching;
  }
}
