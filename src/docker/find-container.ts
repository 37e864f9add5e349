import type { ContainerState, Docker } from "./docker.ts";

/** The container of a project's service; undefined when there is none. */
export async function findContainer(docker: Pick<Docker, "containers">, project: string, service: string): Promise<ContainerState | undefined> {
  return (await docker.containers(project, service))[0];
}
