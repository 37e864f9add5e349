import type { StackFacts } from "../blueprint/stack.ts";
import type { Docker } from "../docker/docker.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { redact } from "../kernel/secret.ts";
import type { SecretValues } from "../secrets/fill-secrets.ts";
import { provisionSql } from "./provision-sql.ts";

/** Sets up roles, passwords and the database in a running PostgreSQL container, as the superuser over its local socket. */
export async function provision(docker: Docker, container: string, facts: Pick<StackFacts, "database" | "roles">, secrets: SecretValues): Promise<void> {
  const sql = provisionSql(facts, secrets);
  await runSql(docker, container, "postgres", sql.cluster);
  await runSql(docker, container, facts.database, sql.database);
}

async function runSql(docker: Docker, container: string, database: string, sql: string): Promise<void> {
  const words = ["psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--username", "postgres", "--dbname", database, "--file", "-"];
  const { code, output } = await docker.exec(container, words, { user: "postgres", input: sql });
  if (code === 0) return;
  const details = redact(output)
    .trim()
    .split("\n")
    .filter((line) => !line.includes("SCRAM-SHA-256$"))
    .slice(-15);
  throw new MillwrightError("PROVISION_FAILED", `PostgreSQL refused to set up ${database}: ${details.at(-1) ?? `psql ended with ${code}`}`, {
    subject: "database",
    hint: "Run `millwright logs database`.",
    details,
  });
}
