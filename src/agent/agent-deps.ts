import { hostPaths } from "../blueprint/host-paths.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Shell } from "../kernel/shell.ts";
import type { RunStore } from "./run-store.ts";

/** What the agent's verbs need of the host. Built once in main.ts; tests give a temporary root and a fake shell. */
export interface AgentDeps {
  /** `/` except in tests. */
  readonly root: string;
  readonly clock: Clock;
  readonly shell: Shell;
  readonly random: (bytes: number) => Uint8Array;
  /** The age recipient that the host's own vault copies are encrypted to; undefined before bootstrap made an identity. */
  readonly recipient: () => Promise<string | undefined>;
  readonly hostName: string;
}

export function storeOf(deps: AgentDeps, stack: string): RunStore {
  return { paths: hostPaths(stack, deps.root), clock: deps.clock, random: deps.random };
}
