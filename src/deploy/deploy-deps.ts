import type { HostPaths } from "../blueprint/host-paths.ts";
import type { Stack } from "../blueprint/stack.ts";
import type { Compose, Docker } from "../docker/docker.ts";
import type { Clock } from "../kernel/clock.ts";
import type { SecretValues } from "../secrets/fill-secrets.ts";
import type { Waiver } from "../site/environment.ts";
import type { HostFacts } from "./host-facts.ts";

/** What the deploy room needs from outside. The agent builds it once for a stack. */
export interface DeployDeps {
  /** `<site>-<environment>`. */
  readonly stack: string;
  readonly paths: HostPaths;
  readonly docker: Docker;
  readonly compose: Compose;
  readonly clock: Clock;
  readonly host: HostFacts;
  /** Decrypts `secrets.age` of a stack with the host's identity: `openHostVault`. */
  readonly openVault: (armored: string) => Promise<SecretValues>;
  /** Writes Traefik's dynamic file for the routes of this stack and the colour that serves, if any. */
  readonly writeRoutes: (stack: Stack) => Promise<void>;
  /** The waivers that this host accepts: `readHostWaivers`. */
  readonly acceptedWaivers: () => Promise<readonly Waiver[]>;
  /** Where the engine keeps its images: `/var/lib/docker`. */
  readonly imageDirectory: string;
}
