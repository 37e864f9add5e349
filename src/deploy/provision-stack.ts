import type { Stack } from "../blueprint/stack.ts";
import { findContainer } from "../docker/find-container.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { SecretValues } from "../secrets/fill-secrets.ts";
import type { DeployDeps } from "./deploy-deps.ts";
import { secretsOf } from "./deploy-context.ts";
import { DATABASE_SERVICE } from "./plan-deploy.ts";
import { provision } from "./provision.ts";

/** Brings the running PostgreSQL to the roles, passwords and database of a stack; changes nothing where they are so. */
export async function provisionStack(deps: Pick<DeployDeps, "stack" | "docker" | "openVault">, stack: Stack, secrets?: SecretValues): Promise<void> {
  if (stack.facts.roles.length === 0) return;
  const container = await findContainer(deps.docker, deps.stack, DATABASE_SERVICE);
  if (container?.state !== "running") {
    throw new MillwrightError("PROVISION_FAILED", "The database does not run.", {
      subject: DATABASE_SERVICE,
      hint: `Run \`millwright logs ${DATABASE_SERVICE}\`.`,
    });
  }
  await provision(deps.docker, container.id, stack.facts, secrets ?? (await secretsOf(deps, stack)));
}
