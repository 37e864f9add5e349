import type { Docker } from "./docker.ts";

const ONE_OFF_LABEL = "com.docker.compose.oneoff";

/** Ends and removes what `Compose.run` has started in a project: such a container outlives whoever started it. */
export async function removeOneOffs(docker: Pick<Docker, "allContainers" | "stop" | "remove">, project: string): Promise<void> {
  for (const { id, project: owner, labels } of await docker.allContainers()) {
    if (owner !== project || labels[ONE_OFF_LABEL] !== "True") continue;
    await docker.stop(id, 0);
    await docker.remove(id);
  }
}
