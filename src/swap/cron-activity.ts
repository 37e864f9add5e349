import type { Colour } from "../blueprint/stack.ts";
import { addressOf, containerOf } from "./colour-view.ts";
import type { CronActivity } from "./series.ts";
import type { SwapDeps } from "./swap-deps.ts";

/**
 * Whether a colour's scheduled jobs show any life: jobs that were due when it began and those that have run since, and the sessions that
 * its cron container holds in the database, where it listens for work. Undefined when the database does not say.
 */
export async function cronActivity(deps: SwapDeps, colour: Colour, since: number): Promise<CronActivity | undefined> {
  const cron = await containerOf(deps, colour, "cron");
  const address = cron === undefined ? undefined : addressOf(deps, cron, "data");
  try {
    const [row] = await deps.psql.query(deps.stack.facts.database, sqlFor(since, address));
    const [due = 0, ran = 0, sessions = 0] = (row ?? []).map(Number);
    return row === undefined || ![due, ran, sessions].every(Number.isFinite) ? undefined : { due, ran, sessions };
  } catch {
    // A database that cannot be asked fails the probes; of the jobs nothing is known then.
    return undefined;
  }
}

/** Odoo keeps its times as UTC without a zone. */
function sqlFor(since: number, address: string | undefined): string {
  const began = `(to_timestamp(${(since / 1000).toFixed(3)}) AT TIME ZONE 'UTC')`;
  const sessions = address === undefined ? "0" : `(SELECT count(*) FROM pg_stat_activity WHERE client_addr = '${address}')`;
  return `SELECT (SELECT count(*) FROM ir_cron WHERE active AND (nextcall <= ${began} OR lastcall >= ${began})),
  (SELECT count(*) FROM ir_cron WHERE lastcall >= ${began}), ${sessions};`;
}
