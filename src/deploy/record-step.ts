import { sha256 } from "../kernel/canonical.ts";
import { timestamp } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { StepCode } from "../kernel/run-plan.ts";
import type { DeployContext } from "./deploy-context.ts";
import type { DeployDeps } from "./deploy-deps.ts";
import { isSame } from "./find-drift.ts";
import { serviceOf } from "./observe-platform.ts";
import { routesId } from "./plan-deploy.ts";
import { type PlatformState, platformStatePath, previousPlatformStatePath, readPlatformState, writePlatformState } from "./platform-state.ts";
import { provisionId } from "./provision-sql.ts";
import { setCurrentStack } from "./stack-store.ts";
import { makeDirectory, removeDurable } from "../kernel/durable-file.ts";

/** Writes down what runs now, and makes the stack the current one. */
export const recordStep: StepCode<DeployContext> = {
  async do(context) {
    const { paths } = context.deps;
    await makeDirectory(paths.state, 0o750);
    const before = await readPlatformState(platformStatePath(paths));
    // After a cut the record may be this plan's own already; the one before is then kept already, too.
    if (before?.plan !== context.plan.id) {
      if (before === undefined) await removeDurable(previousPlatformStatePath(paths));
      else await writePlatformState(previousPlatformStatePath(paths), before);
    }
    await writePlatformState(platformStatePath(paths), await presentState(context));
    await setCurrentStack(paths, context.stack.id);
  },
  async undo({ deps: { paths }, plan, previous }) {
    const now = await readPlatformState(platformStatePath(paths));
    if (now?.plan !== plan.id) return;
    const before = await readPlatformState(previousPlatformStatePath(paths));
    await setCurrentStack(paths, previous);
    if (before === undefined) await removeDurable(platformStatePath(paths));
    else await writePlatformState(platformStatePath(paths), before);
  },
};

/** Notes the containers that stand in for recorded ones after an undo: the same definition, another id. */
export async function recordPutBack({ docker, paths, stack }: Pick<DeployDeps, "docker" | "paths" | "stack">): Promise<void> {
  const recorded = await readPlatformState(platformStatePath(paths));
  if (recorded === undefined) return;
  const containers = await docker.containers(stack);
  const services = Object.entries(recorded.services).map(([service, before]) => {
    const now = containers.find((container) => container.service === service);
    const isBack = now !== undefined && isSame(serviceOf(now), before);
    return [service, isBack ? { ...before, container: now.id } : before] as const;
  });
  await writePlatformState(platformStatePath(paths), { ...recorded, services: Object.fromEntries(services) });
}

async function presentState({ deps, plan, stack, secrets, desired }: DeployContext): Promise<PlatformState> {
  const containers = await deps.docker.containers(deps.stack);
  const services: PlatformState["services"] = {};
  for (const [service, made] of Object.entries(desired.services)) {
    const container = containers.find((candidate) => candidate.service === service);
    if (container === undefined)
      throw new MillwrightError("PLAN_STALE", `The container of ${service} is gone while the deploy goes on.`, {
        subject: service,
        hint: "Run `millwright deploy` again.",
      });
    services[service] = {
      container: container.id,
      config: made.config,
      definition: made.definition,
      composeHash: serviceOf(container).composeHash,
      image: made.image,
      mounts: { ...made.mounts },
    };
  }
  return {
    version: 1,
    stack: stack.id,
    plan: plan.id,
    at: timestamp(deps.clock),
    compose: sha256(desired.compose),
    routes: routesId(stack),
    provision: provisionId(stack.facts, secrets),
    certificate: desired.certificate === undefined ? "" : sha256(desired.certificate.pointer),
    settings: Object.fromEntries(desired.settings.map(({ path, content }) => [path, sha256(content)])),
    services,
  };
}
