import type { Docker } from "../docker/docker.ts";
import { findContainer } from "../docker/find-container.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { lastLines } from "../kernel/shell.ts";

/** A query that waits for a lock of Odoo's must not hold a run for ever. */
const TIMEOUT = "2min";

/** SQL on the stack's PostgreSQL as its superuser, over the container's own socket. */
export interface Psql {
  /** Rows of tab-separated fields; the statements go by standard input. */
  query(database: string, sql: string): Promise<readonly (readonly string[])[]>;
}

export function containerPsql(docker: Docker, stack: string): Psql {
  return {
    query: async (database, sql) => {
      const container = await findContainer(docker, stack, "database");
      if (container === undefined || container.state !== "running") {
        throw new MillwrightError("DATABASE_FAILED", "The database container does not run.", {
          subject: `${stack} database`,
          hint: "Run `millwright deploy`.",
        });
      }
      const words = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", database];
      const { code, output } = await docker.exec(container.id, words, { user: "postgres", input: `SET statement_timeout = '${TIMEOUT}';\n${sql}` });
      if (code !== 0) {
        const details = lastLines(output, 5);
        throw new MillwrightError(
          "DATABASE_FAILED",
          `PostgreSQL refused a query: ${details.find((line) => line.includes("ERROR")) ?? details[0] ?? "no reason given"}`,
          { subject: database, details },
        );
      }
      return output
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => line.split("\t"));
    },
  };
}
