import type { StackFacts } from "../blueprint/stack.ts";
import { hashOf } from "../kernel/canonical.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { SecretValues } from "../secrets/fill-secrets.ts";
import { scramVerifier } from "./scram-verifier.ts";

type Role = StackFacts["roles"][number];

export interface Provision {
  /** For the database `postgres`: roles, the database itself, who may connect where. */
  readonly cluster: string;
  /** For the stack's own database. */
  readonly database: string;
}

/** The SQL that brings PostgreSQL to what the stack asks for. Each statement may be run again at any time. Pure. */
export function provisionSql(facts: Pick<StackFacts, "database" | "roles">, secrets: SecretValues): Provision {
  const owner = facts.roles.find((role) => role.purpose === "owner");
  if (owner === undefined) throw new MillwrightError("STACK_INVALID", "The stack names no role that owns the database.");
  const database = identifier(facts.database);
  const everyRole = facts.roles
    .filter(({ purpose }) => purpose !== "replication")
    .map((role) => identifier(role.name))
    .join(", ");
  const cluster = [
    ...QUIET,
    ...facts.roles.flatMap((role) => roleSql(role, verifierOf(role, secrets))),
    // Odoo asks for the same collation when it makes a database itself; it does not depend on a version of the C library.
    `SELECT 'CREATE DATABASE ${database} OWNER ${identifier(owner.name)} TEMPLATE template0 ENCODING ''UTF8'' LC_COLLATE ''C''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = ${literal(facts.database)}) \\gexec`,
    `ALTER DATABASE ${database} OWNER TO ${identifier(owner.name)};`,
    `REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;`,
    `REVOKE CONNECT ON DATABASE template1 FROM PUBLIC;`,
    `REVOKE ALL ON DATABASE ${database} FROM PUBLIC;`,
    // Odoo listens in the database postgres for its bus and its cron wake-ups.
    `GRANT CONNECT ON DATABASE postgres TO ${everyRole};`,
    ...HEARTBEAT,
  ];
  const inside = [
    ...QUIET,
    "SET client_min_messages = warning;",
    // Only the superuser who owns a trusted extension may declare its function immutable; without that Odoo leaves its unaccent indexes unused.
    "CREATE EXTENSION IF NOT EXISTS pg_trgm;",
    "CREATE EXTENSION IF NOT EXISTS unaccent;",
    "ALTER FUNCTION unaccent(text) IMMUTABLE;",
  ];
  return { cluster: `${cluster.join("\n")}\n`, database: `${inside.join("\n")}\n` };
}

/** Stands for all that provisioning sets: when it is the recorded one, nothing has to be set. Holds no secret. */
export function provisionId(facts: Pick<StackFacts, "database" | "roles">, secrets: SecretValues): string {
  if (facts.roles.length === 0) return "";
  return hashOf(provisionSql(facts, secrets)).slice(0, 32);
}

/** Statements that set passwords stay out of the server's log, also when they fail. */
const QUIET = ["SET log_statement = 'none';", "SET log_min_duration_statement = -1;", "SET log_min_error_statement = panic;"];

/** One row that the health check keeps writing the time into: the newest in a restored database is what was not lost. */
const HEARTBEAT = [
  "SET client_min_messages = warning;",
  "CREATE SCHEMA IF NOT EXISTS millwright;",
  "CREATE TABLE IF NOT EXISTS millwright.heartbeat (id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1), at timestamptz NOT NULL DEFAULT now());",
  "INSERT INTO millwright.heartbeat DEFAULT VALUES ON CONFLICT DO NOTHING;",
];

function verifierOf(role: Role, secrets: SecretValues): string {
  const secret = secrets[role.secret];
  if (secret === undefined)
    throw new MillwrightError("SECRET_MISSING", `The vault holds no secret ${role.secret} for role ${role.name}.`, {
      subject: role.secret,
      hint: "Run `millwright check`.",
    });
  return scramVerifier(role.name, secret);
}

function roleSql(role: Role, verifier: string): readonly string[] {
  const name = identifier(role.name);
  const purpose = PURPOSES[role.purpose];
  return [
    `SELECT 'CREATE ROLE ${name}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(role.name)}) \\gexec`,
    `ALTER ROLE ${name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE ${role.purpose === "replication" ? "REPLICATION" : "NOREPLICATION"} NOBYPASSRLS CONNECTION LIMIT ${role.connectionLimit};`,
    `SELECT format('ALTER ROLE %I PASSWORD %L', rolname, ${literal(verifier)}) FROM pg_authid WHERE rolname = ${literal(role.name)} AND rolpassword IS DISTINCT FROM ${literal(verifier)} \\gexec`,
    ...purpose.member.map((group) => `GRANT ${group} TO ${name};`),
    ...purpose.settings.map((setting) => `ALTER ROLE ${name} SET ${setting};`),
  ];
}

const PURPOSES: Readonly<Record<Role["purpose"], { readonly member: readonly string[]; readonly settings: readonly string[] }>> = {
  // An abandoned transaction keeps the vacuum from its work.
  owner: { member: [], settings: ["idle_in_transaction_session_timeout = '15min'"] },
  monitor: { member: ["pg_monitor"], settings: ["statement_timeout = '10s'", "default_transaction_read_only = on"] },
  // It reads the whole log, and connects to no database.
  replication: { member: [], settings: [] },
};

function identifier(name: string): string {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) throw new MillwrightError("STACK_INVALID", `"${name}" is not a name for PostgreSQL.`);
  return `"${name}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
