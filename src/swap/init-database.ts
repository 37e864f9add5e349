import { removeOneOffs } from "../docker/one-offs.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { redact } from "../kernel/secret.ts";
import { projectOf } from "./colour-view.ts";
import type { SwapContext } from "./swap-context.ts";

const BAD_LEVEL = /^\d{4}-\d\d-\d\d \S+ \d+ (ERROR|CRITICAL) /;
/** Odoo says these as warnings and ends with 0. */
const BAD_PHRASES = ["invalid module names", "Some modules are not loaded", "inconsistent states"];
const MARKER = "millwright: first release, run ";

/** Whether the database holds an Odoo already. */
export async function isInitialised(context: SwapContext): Promise<boolean> {
  const { database } = context.stack.facts;
  const [row] = await context.psql.query(database, "SELECT to_regclass('public.ir_module_module') IS NOT NULL;");
  return row?.[0] === "t";
}

/** Says in the database itself that this run is filling it: a run that is undone drops only a database that it has made. */
export async function setMarker(context: SwapContext): Promise<void> {
  await comment(context, `'${MARKER}${context.run}'`);
}

export async function clearMarker(context: SwapContext): Promise<void> {
  await comment(context, "NULL");
}

/** The run that began to fill the database and has not confirmed it; undefined when there is none. */
export async function readMarker(context: SwapContext): Promise<string | undefined> {
  const { database } = context.stack.facts;
  const [row] = await context.psql.query("postgres", `SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '${database}';`);
  const text = row?.[0] ?? "";
  return text.startsWith(MARKER) ? text.slice(MARKER.length) : undefined;
}

/** Database names and run ids are letters, digits, `_`, `-` and `.` only. */
async function comment(context: SwapContext, value: string): Promise<void> {
  await context.psql.query("postgres", `COMMENT ON DATABASE "${context.stack.facts.database}" IS ${value};`);
}

/**
 * Ends what a run that was cut off has left at work. The container outlives whoever started it; once it has come up it would fill whatever
 * database it finds, also the empty one that an undo has just made.
 */
export async function endFilling(context: SwapContext): Promise<void> {
  await removeOneOffs(context.docker, projectOf(context, context.colour));
}

/** An empty database with its owner, rights and extensions, in the place of a half-filled one. */
export async function emptyDatabase(context: SwapContext): Promise<void> {
  await context.psql.query("postgres", `DROP DATABASE IF EXISTS "${context.stack.facts.database}" WITH (FORCE);`);
  await context.provisionDatabase();
}

/** Installs Odoo and the site's modules in a container of its own, and judges it by everything but its word. */
export async function fillDatabase(context: SwapContext, signal: AbortSignal): Promise<void> {
  const { series, database, modules, language } = context.stack.facts;
  const wanted = ["base", ...modules.filter((name) => name !== "base")];
  const words = [
    "/usr/bin/odoo",
    "--config",
    "/etc/odoo/odoo.conf",
    "--database",
    database,
    "--init",
    wanted.join(","),
    "--stop-after-init",
    "--no-http",
    "--workers=0",
    "--max-cron-threads=0",
  ];
  // Up to 18, demonstration data comes unless it is refused; 19 has made the option a plain flag.
  if (series !== "19.0") words.push("--without-demo=all");
  if (language !== "en_US") words.push(`--load-language=${language}`);
  const lines: string[] = [];
  const code = await context.compose.run(
    projectOf(context, context.colour),
    context.paths.colour(context.colour),
    "web",
    words,
    (line) => lines.push(line),
    signal,
  );
  const problem = judgeInitLog(code, lines) ?? (await judgeModules(context, wanted));
  if (problem === undefined) return;
  throw new MillwrightError("RELEASE_UNHEALTHY", `The first database could not be filled: ${problem}`, {
    subject: database,
    details: lines.slice(-15).map(redact),
  });
}

/** Odoo ends with 0 after many a failure: its log counts as much as its exit status. */
export function judgeInitLog(code: number, lines: readonly string[]): string | undefined {
  const bad = lines.find((line) => BAD_LEVEL.test(line)) ?? lines.find((line) => BAD_PHRASES.some((phrase) => line.includes(phrase)));
  if (bad !== undefined) return redact(bad);
  return code === 0 ? undefined : `Odoo ended with ${code}`;
}

async function judgeModules(context: SwapContext, wanted: readonly string[]): Promise<string | undefined> {
  const rows = await context.psql.query(context.stack.facts.database, "SELECT name, state FROM ir_module_module;");
  const states = new Map(rows.map(([name = "", state = ""]) => [name, state]));
  const missing = wanted.filter((name) => states.get(name) !== "installed");
  if (missing.length > 0) return `not installed: ${missing.join(", ")}.`;
  const waiting = [...states].filter(([, state]) => state.startsWith("to ")).map(([name]) => name);
  return waiting.length > 0 ? `still waiting: ${waiting.join(", ")}.` : undefined;
}
