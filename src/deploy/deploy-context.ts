import * as z from "zod";
import type { Stack } from "../blueprint/stack.ts";
import type { Events } from "../kernel/events.ts";
import type { Plan } from "../kernel/plan.ts";
import type { DeployDeps } from "./deploy-deps.ts";
import { type Materialised, materialise } from "./materialise.ts";
import { fillSecrets, type SecretValues } from "../secrets/fill-secrets.ts";
import { readStack } from "./stack-store.ts";
import { MillwrightError } from "../kernel/errors.ts";

export interface DeployContext {
  readonly deps: DeployDeps;
  readonly plan: Plan;
  readonly events: Events;
  readonly stack: Stack;
  readonly secrets: SecretValues;
  readonly desired: Materialised;
  /** Stack that was current when the plan was made. */
  readonly previous: string | undefined;
}

const planContextSchema = z.object({ stack: z.string(), previous: z.string().optional() });

/** All that the steps of a stored plan share, made again from the stack on the host: a plan holds no secret. */
export async function openDeployContext(deps: DeployDeps, plan: Plan, events: Events): Promise<DeployContext> {
  const { stack: id, previous } = planContextSchema.parse(plan.context);
  const stack = await readStack(deps.paths, id);
  const secrets = await secretsOf(deps, stack);
  return { deps, plan, events, stack, secrets, desired: materialisePlatform(deps, stack, secrets), previous };
}

export async function secretsOf(deps: Pick<DeployDeps, "openVault">, stack: Stack): Promise<SecretValues> {
  const vault = stack.files.find((file) => file.path === "secrets.age")?.content;
  if (vault === undefined) throw new MillwrightError("STACK_INVALID", "The stack has no vault.", { subject: "secrets.age" });
  return await deps.openVault(vault);
}

export function materialisePlatform(deps: Pick<DeployDeps, "paths">, stack: Stack, secrets: SecretValues): Materialised {
  return materialise({ stack, project: "platform", paths: deps.paths, fill: (content) => fillSecrets(content, secrets) });
}
