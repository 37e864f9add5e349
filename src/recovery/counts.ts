import type { Psql } from "../swap/psql.ts";
import type { Counts } from "./backup-record.ts";

/** Tables whose rows are a plant's work; most are there only with their module. Attachments are looked at one by one instead. */
const TABLES = [
  "res_users",
  "res_company",
  "res_partner",
  "product_template",
  "sale_order",
  "purchase_order",
  "stock_move",
  "stock_picking",
  "mrp_production",
  "mrp_bom",
  "account_move",
  "mail_message",
];

/** People do delete rows: so many fewer are no sign of a bad restore. */
const TOLERATED_SHARE = 0.02;
const TOLERATED_ROWS = 5;

/** Rows of the tables that the database has. */
export async function countRows(psql: Psql, database: string): Promise<Counts> {
  const names = TABLES.map((table) => `'${table}'`).join(", ");
  const sql = `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname IN (${names});`;
  const found = (await psql.query(database, sql)).map(([name = ""]) => name);
  const counts: Record<string, number> = {};
  // One by one: a query may take two minutes, which all tables of a big plant together do not keep to.
  for (const name of found) counts[name] = Number((await psql.query(database, `SELECT count(*) FROM "${name}";`))[0]?.[0] ?? 0);
  return counts;
}

/** Modules installed in Odoo, in order. */
export async function installedModules(psql: Psql, database: string): Promise<readonly string[]> {
  return (await psql.query(database, "SELECT name FROM ir_module_module WHERE state = 'installed' ORDER BY name;")).map(([name = ""]) => name);
}

/** What of a plant's work can be counted. */
export interface Holdings {
  readonly counts: Counts;
  readonly modules: readonly string[];
}

export async function countHoldings(psql: Psql, database: string): Promise<Holdings> {
  return { counts: await countRows(psql, database), modules: await installedModules(psql, database) };
}

/** Of what was counted at a backup, what a plant still has: people delete rows and uninstall modules, with their tables. Pure. */
export function stillThere(recorded: Holdings, plant: Holdings): Holdings {
  const left = Object.entries(recorded.counts).flatMap(([table, counted]) => {
    const now = plant.counts[table];
    return now === undefined ? [] : [[table, Math.min(counted, now)] as const];
  });
  return { counts: Object.fromEntries(left), modules: recorded.modules.filter((name) => plant.modules.includes(name)) };
}

/** What a restored database lacks of what it is held against. Pure. */
export function lackOf(wanted: Holdings, restored: Holdings): readonly string[] {
  const rows = Object.entries(wanted.counts).flatMap(([table, before]) => {
    const now = restored.counts[table];
    if (now === undefined) return [`the table ${table} is missing`];
    const least = before - Math.max(TOLERATED_ROWS, Math.floor(before * TOLERATED_SHARE));
    return now >= least && (now > 0 || before === 0) ? [] : [`${table} has ${now} rows, and had ${before}`];
  });
  return [...rows, ...wanted.modules.filter((name) => !restored.modules.includes(name)).map((name) => `the module ${name} is not installed`)];
}
