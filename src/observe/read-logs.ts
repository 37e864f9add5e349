import type { HostPaths } from "../blueprint/host-paths.ts";
import { COLOURS } from "../blueprint/stack.ts";
import type { ContainerState, Docker } from "../docker/docker.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { redact } from "../kernel/secret.ts";
import { readServing } from "../swap/serving.ts";

export interface ServiceLogs {
  /** As one may ask for it: `database`, `blue-web`. */
  readonly service: string;
  readonly container: string;
  readonly lines: readonly string[];
}

interface Deps {
  readonly stack: string;
  readonly paths: HostPaths;
  readonly docker: Docker;
}

/**
 * The last lines of a service: a platform service by its name, a colour's as `blue-web`, and `web` or `cron` alone for the colour that
 * serves.
 */
export async function readLogs({ stack, paths, docker }: Deps, service: string, lines: number): Promise<ServiceLogs> {
  const [serving, platform, ...colours] = await Promise.all([
    readServing(paths),
    docker.containers(stack),
    ...COLOURS.map((colour) => docker.containers(`${stack}-${colour}`)),
  ]);
  const named = new Map<string, ContainerState>();
  COLOURS.forEach((colour, index) => {
    for (const container of colours[index] ?? []) {
      named.set(`${colour}-${container.service}`, container);
      if (serving?.colour === colour) named.set(container.service, container);
    }
  });
  for (const container of platform) named.set(container.service, container);
  const found = named.get(service);
  if (found === undefined) {
    const names = [...named.keys()].sort().join(", ");
    throw new MillwrightError("SERVICE_UNKNOWN", `${stack} has no service ${service}.`, {
      subject: service,
      hint: names === "" ? "Nothing runs yet: `millwright deploy`." : `It has: ${names}.`,
    });
  }
  return { service, container: found.name, lines: (await docker.logs(found.id, lines)).map(redact) };
}
