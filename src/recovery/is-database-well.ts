import { findContainer } from "../docker/find-container.ts";
import type { RecoveryDeps } from "./recovery-deps.ts";

/** Whether the plant's database takes writes, by the word of its health check. */
export async function isDatabaseWell({ docker, stack }: Pick<RecoveryDeps, "docker" | "stack">): Promise<boolean> {
  const database = await findContainer(docker, stack.facts.stack, "database");
  return database?.state === "running" && database.health === "healthy";
}
