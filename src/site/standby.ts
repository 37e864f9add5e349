import { MillwrightError } from "../kernel/errors.ts";
import type { Environment } from "./environment.ts";

/** The same environment as it is on its second host, which follows the first. */
export function standbyOf(environment: Environment): Environment {
  const { standby, ...rest } = environment;
  if (standby === undefined) {
    throw new MillwrightError("STANDBY_UNKNOWN", `The environment ${environment.name} has no standby.`, {
      subject: environment.name,
      hint: "State one, `standby` in site.yaml: docs/standby.md.",
    });
  }
  const { listen, dataDisk, ...login } = standby;
  const { memoryBytes, cpus } = environment.host;
  return { ...rest, host: { ...login, listen, memoryBytes, cpus }, dataDisk, follows: environment.host.address };
}

/** Names one of an environment's hosts where something is kept of each: `production`, `production-standby`. No environment can have the second name. */
export function hostName({ name, follows }: Pick<Environment, "name" | "follows">): string {
  return follows === undefined ? name : `${name}${STANDBY_SUFFIX}`;
}

export const STANDBY_SUFFIX = "-standby";
