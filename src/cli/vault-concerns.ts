import type { Recipients } from "../secrets/recipients.ts";

const NO_RECOVERY_KEY = "No recovery key: when the laptops of all operators are lost, nobody can open the backups. Run `millwright secrets recovery-key`.";

const UNFINISHED =
  "A change of who can open the vaults was cut off: some may not open with the keys that are listed, the recovery key among them. " +
  "Run `millwright secrets rekey`, or what was cut off: a recovery key that was not shown yet is in no safe.";

/** Said by whatever looks at the site folder. Pure. */
export function vaultConcerns({ recovery, unfinished }: Pick<Recipients, "recovery" | "unfinished">): readonly string[] {
  return [...(unfinished === undefined ? [] : [UNFINISHED]), ...(recovery === undefined ? [NO_RECOVERY_KEY] : [])];
}
