import { currentStack, readStack } from "../../deploy/stack-store.ts";
import type { ErrorCode } from "../../kernel/error-codes.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import type { RunRecord } from "../../observe/run-record.ts";
import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { lastSwapRun, readRun, requireRun } from "../read-run.ts";
import { hostDocker } from "../room-deps.ts";
import type { Handler } from "../serve.ts";

/** Everything that is kept of one run, in one answer: the named one, or the last swap or rollback. */
export function reportVerb(deps: AgentDeps): Handler<"report"> {
  return async ({ args }) => {
    const store = storeOf(deps, args.stack);
    const run = args.run === "last" ? await lastSwapRun(store) : await requireRun(store, args.run);
    const [engine, stack] = await Promise.all([engineVersion(deps), stackNow(deps, args.stack)]);
    return { result: await readRun(store, run, { host: deps.hostName, engine, stack }) };
  };
}

async function engineVersion(deps: AgentDeps): Promise<string | undefined> {
  return await unless("DOCKER_DOWN", async () => (await hostDocker(deps).version()).engine);
}

async function stackNow(deps: AgentDeps, name: string): Promise<RunRecord["stack"]> {
  const { paths } = storeOf(deps, name);
  const id = await currentStack(paths);
  if (id === undefined) return undefined;
  return await unless("STACK_INVALID", async () => {
    const { domain, blueprint, series, images } = (await readStack(paths, id)).facts;
    return { id, domain, blueprint: `${blueprint.name} ${blueprint.version}`, series, images };
  });
}

/** What happened can be told while the engine is down or the stack was edited, which may be why somebody asks. */
async function unless<T>(code: ErrorCode, look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof MillwrightError && error.code === code) return undefined;
    throw error;
  }
}
