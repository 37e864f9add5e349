import type { Clock } from "../../kernel/clock.ts";
import { glance } from "../glance.ts";
import type { Psql } from "../psql.ts";
import { fail, type Finding, pass, type Probe } from "./probe.ts";

const SQL = `SELECT coalesce((SELECT latest_version FROM ir_module_module WHERE name = 'base'), ''),
  (SELECT count(*) FROM ir_module_module WHERE state LIKE 'to %');`;

/** A look is a process in the database's container, and what it finds changes by an upgrade of modules alone. */
const GOOD_FOR_MILLISECONDS = 10_000;

/**
 * What the pages do not show: Odoo skips a database whose base version is not that of its code, or in which a module waits to be
 * updated, and then no cron job runs, with no more than a warning in the log. A pass stands for ten seconds.
 */
export function databaseProbe(psql: Psql, clock: Clock, database: string, series: string): Probe {
  return {
    name: "database",
    look: glance(clock, GOOD_FOR_MILLISECONDS, () => lookAtModules(psql, database, series), hasPassed),
  };
}

const hasPassed = ({ verdict }: Finding): boolean => verdict === "pass";

async function lookAtModules(psql: Psql, database: string, series: string): Promise<Finding> {
  const [row] = await psql.query(database, SQL);
  const [version = "", waiting = ""] = row ?? [];
  const evidence = { baseVersion: version, modulesWaiting: waiting };
  if (!version.startsWith(`${series}.`)) return fail(`the database is of Odoo ${version === "" ? "no version" : version}, the release of ${series}`, evidence);
  if (waiting !== "0") return fail(`${waiting} modules wait to be installed, updated or removed`, evidence);
  return pass(`base ${version}, no module waits`, evidence);
}
