import { messageOf } from "../kernel/errors.ts";
import type { SwapDeps } from "./swap-deps.ts";

/** Odoo holds the row of a job locked while it runs. The locks of the others, which this takes, end with the statement. */
const SQL = `SELECT cron_name FROM ir_cron WHERE active AND id NOT IN (SELECT id FROM ir_cron WHERE active FOR NO KEY UPDATE SKIP LOCKED) ORDER BY id;`;

/** The scheduled jobs that run now, in words for people; for messages only. */
export async function jobsUnderWay(deps: Pick<SwapDeps, "psql" | "stack">): Promise<string> {
  try {
    const names = (await deps.psql.query(deps.stack.facts.database, SQL)).map(([name = ""]) => `"${name}"`);
    return names.length === 0 ? "a scheduled job" : `scheduled job ${names.join(", ")}`;
  } catch (error) {
    return `a scheduled job (its name could not be read: ${messageOf(error)})`;
  }
}
