import { MillwrightError } from "../kernel/errors.ts";

/** A run that led users to another release than the one before, as the host's journal tells it. */
export interface Beginning {
  readonly release: string;
  readonly run: string;
  /** Just before the first user was led, ISO 8601. */
  readonly at: string;
  readonly isRollback: boolean;
  /** Users stayed; not taken back. */
  readonly isKept: boolean;
}

/** The last upgrade that led users to a release: the moment before it is what `release:<id>` means. Given oldest first. Pure. */
export function upgradeTo(beginnings: readonly Beginning[], release: string): Beginning {
  const found = beginnings.findLast((beginning) => beginning.release === release && !beginning.isRollback);
  if (found !== undefined) return found;
  throw new MillwrightError("RELEASE_NOT_FOUND", `No upgrade on this host has led users to release ${release}, as far as its journal goes.`, {
    subject: release,
    hint: "`millwright history` shows the upgrades. A time does as well: `--to <time>`.",
  });
}

/** The release that users were on until an instant: of a beginning itself, the one before. Undefined when that was before all that is known. Pure. */
export function releaseAt(beginnings: readonly Beginning[], at: string): string | undefined {
  return beginnings.findLast((beginning) => beginning.isKept && Date.parse(beginning.at) < Date.parse(at))?.release;
}
