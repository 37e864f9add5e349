import { dirname } from "node:path";
import { hostPaths } from "../../blueprint/host-paths.ts";
import { timestamp } from "../../kernel/clock.ts";
import { VERSION } from "../../kernel/version.ts";
import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { ARGUMENTS } from "../arguments.ts";
import { namesIn } from "../../kernel/durable-file.ts";
import { type Lock, readLock } from "../run-lock.ts";
import type { Handler } from "../serve.ts";

export interface Hello {
  readonly agent: string;
  readonly host: string;
  /** The host's clock, for the caller to compare with its own. */
  readonly now: string;
  readonly recipient: string | null;
  readonly stacks: readonly { readonly stack: string; readonly open: Lock | null }[];
}

/** Who the host is and what it holds: the first thing to ask. */
export function helloVerb(deps: AgentDeps): Handler<"hello"> {
  return async () => {
    const stacks = await Promise.all((await stackNames(deps)).map(async (stack) => ({ stack, open: (await readLock(storeOf(deps, stack).paths)) ?? null })));
    const recipient = (await deps.recipient()) ?? null;
    return { result: { agent: VERSION, host: deps.hostName, now: timestamp(deps.clock), recipient, stacks } satisfies Hello };
  };
}

async function stackNames(deps: AgentDeps): Promise<readonly string[]> {
  const names = await namesIn(dirname(hostPaths("any-stack", deps.root).base));
  return names.filter((name) => ARGUMENTS.stack.test(name)).sort();
}
