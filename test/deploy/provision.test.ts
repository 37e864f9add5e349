import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { provisionId, provisionSql } from "../../src/deploy/provision-sql.ts";
import { scramVerifier } from "../../src/deploy/scram-verifier.ts";
import { Secret } from "../../src/kernel/secret.ts";
import { fixtureStack } from "./fixture-stack.ts";

const { facts } = fixtureStack();
const secrets = (version: number): Record<string, Secret> =>
  Object.fromEntries(facts.roles.map((role) => [role.secret, new Secret(`${role.secret}-password-${version}`)]));

describe("a password's verifier", () => {
  it("is always the same for a role and a password, and another for another", () => {
    const one = scramVerifier("odoo", new Secret("some-password"));
    expect(one).toMatch(/^SCRAM-SHA-256\$4096:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}$/);
    expect(scramVerifier("odoo", new Secret("some-password"))).toBe(one);
    expect(scramVerifier("odoo", new Secret("some-passwort"))).not.toBe(one);
    expect(scramVerifier("monitor", new Secret("some-password"))).not.toBe(one);
  });

  it("is refused for a password that the server would change before hashing", () => {
    expect(() => scramVerifier("odoo", new Secret("pässword"))).toThrow(/printable ASCII/);
  });
});

describe("provisioning", () => {
  it("holds no password, in its SQL nor in its id", () => {
    const text = JSON.stringify([provisionSql(facts, secrets(1)), provisionId(facts, secrets(1))]);
    expect(text).not.toContain("password-1");
  });

  it("lets the role of a standby read the log, and connect to no database", () => {
    const roles = [...facts.roles, { name: "replication", secret: "replication", purpose: "replication", connectionLimit: 3 } as const];
    const { cluster } = provisionSql({ ...facts, roles }, { ...secrets(1), replication: new Secret("replication-password-1") });
    expect(cluster).toMatch(/ALTER ROLE "replication" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE REPLICATION /);
    expect(cluster.match(/ NOREPLICATION /g)).toHaveLength(facts.roles.length);
    expect(cluster).toMatch(/GRANT CONNECT ON DATABASE postgres TO (?!.*replication)/);
  });

  it("refuses a role name that is not a plain name", () => {
    const roles = facts.roles.map((role) => ({ ...role, name: `${role.name}"; DROP DATABASE odoo; --` }));
    expect(() => provisionSql({ ...facts, roles }, secrets(1))).toThrow(/not a name/);
  });
});

const BIN = existsSync("/usr/lib/postgresql")
  ? readdirSync("/usr/lib/postgresql")
      .map((version) => `/usr/lib/postgresql/${version}/bin`)
      .find((bin) => existsSync(`${bin}/initdb`))
  : undefined;
const CAN_RUN = BIN !== undefined && process.getuid?.() === 0;

describe.skipIf(!CAN_RUN)("provisioning of a real PostgreSQL", () => {
  const directory = CAN_RUN ? mkdtempSync("/tmp/millwright-pg-") : "";
  const port = String(20_000 + (process.pid % 20_000));
  const asPostgres = (words: readonly string[], input = ""): string =>
    execFileSync("runuser", ["-u", "postgres", "--", ...words], { input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
  const superuser = (database: string, sql: string): string =>
    asPostgres(["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", directory, "-p", port, "-d", database, "-f", "-"], sql).trim();
  const login = (role: string, password: string, database: string, sql = "SELECT 1"): { readonly ok: boolean; readonly text: string } => {
    const { status, stdout, stderr } = spawnSync(
      "psql",
      ["-X", "-At", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", port, "-U", role, "-d", database, "-c", sql],
      { env: { PGPASSWORD: password, PATH: process.env["PATH"] }, encoding: "utf8" },
    );
    return { ok: status === 0, text: stdout.trim() || stderr };
  };
  const provisionAll = (version: number): void => {
    const sql = provisionSql(facts, secrets(version));
    superuser("postgres", sql.cluster);
    superuser("odoo", sql.database);
  };
  const stored = (): string =>
    superuser("postgres", "SELECT string_agg(rolname || rolpassword, ' ' ORDER BY rolname) FROM pg_authid WHERE rolname IN ('odoo','monitor')");

  beforeAll(() => {
    execFileSync("chown", ["postgres", directory]);
    asPostgres([`${BIN}/initdb`, "-D", `${directory}/data`, "--auth-local=peer", "--auth-host=scram-sha-256", "--locale=C.UTF-8", "-N"]);
    asPostgres([
      `${BIN}/pg_ctl`,
      "-w",
      "-D",
      `${directory}/data`,
      "-l",
      `${directory}/log`,
      "-o",
      `-p ${port} -k ${directory} -c listen_addresses=127.0.0.1 -c fsync=off -c log_statement=all`,
      "start",
    ]);
    provisionAll(1);
  }, 60_000);

  afterAll(() => {
    if (directory === "") return;
    asPostgres([`${BIN}/pg_ctl`, "-w", "-m", "immediate", "-D", `${directory}/data`, "stop"]);
    rmSync(directory, { recursive: true });
  });

  it("lets each role log in with its password, where it belongs and nowhere else", () => {
    expect(login("odoo", "db_odoo-password-1", "odoo").ok).toBe(true);
    expect(login("odoo", "db_odoo-password-1", "postgres").ok).toBe(true);
    expect(login("odoo", "db_odoo-password-1", "template1").ok).toBe(false);
    expect(login("monitor", "db_monitor-password-1", "postgres", "SELECT count(*) > 0 FROM pg_stat_activity").text).toBe("t");
    expect(login("monitor", "db_monitor-password-1", "odoo").ok).toBe(false);
  });

  it("gives Odoo its database and no more", () => {
    expect(
      login("odoo", "db_odoo-password-1", "odoo", "CREATE TABLE things (name text); CREATE INDEX ON things (unaccent(name)); INSERT INTO things VALUES ('é')")
        .ok,
    ).toBe(true);
    expect(login("odoo", "db_odoo-password-1", "postgres", "UPDATE millwright.heartbeat SET at = now()").ok).toBe(false);
    expect(login("odoo", "db_odoo-password-1", "odoo", "CREATE DATABASE more").ok).toBe(false);
    expect(superuser("postgres", "SELECT datcollate, pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'odoo'")).toBe("C|odoo");
  });

  it("keeps one row for the time that the health check leaves", () => {
    provisionAll(1);
    expect(superuser("postgres", "SELECT count(*), max(id) FROM millwright.heartbeat")).toBe("1|1");
  });

  it("changes nothing the second time, and keeps verifiers out of the server's log", () => {
    const before = stored();
    provisionAll(1);
    expect(stored()).toBe(before);
    const log = execFileSync("cat", [`${directory}/log`], { encoding: "utf8" });
    expect(log).toContain("log_statement");
    expect(log).not.toContain("SCRAM-SHA-256$");
  });

  it("makes the old password fail after a change, and the new one work", () => {
    provisionAll(2);
    expect(login("odoo", "db_odoo-password-1", "odoo").text).toContain("password authentication failed");
    expect(login("odoo", "db_odoo-password-2", "odoo").ok).toBe(true);
    provisionAll(1);
  });
});
