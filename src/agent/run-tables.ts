import type { HostPaths } from "../blueprint/host-paths.ts";
import type { AgentDeps } from "./agent-deps.ts";
import type { RunTables } from "./run-table.ts";

/** The code of every kind of plan that this agent carries out: each room's step table, bound to what it needs of the host. */
export function runTables(_deps: AgentDeps, _paths: HostPaths): RunTables {
  return {};
}
