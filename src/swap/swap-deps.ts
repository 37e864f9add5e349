import type { HostPaths } from "../blueprint/host-paths.ts";
import type { Colour, Stack } from "../blueprint/stack.ts";
import type { Compose, Docker } from "../docker/docker.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Events } from "../kernel/events.ts";
import type { Secret } from "../kernel/secret.ts";
import type { Release } from "../release/release-file.ts";
import type { Connections } from "./connections.ts";
import type { Http } from "./http.ts";
import type { Psql } from "./psql.ts";

/** What a swap needs of the world. */
export interface SwapDeps {
  /** The stack that is current on the host. */
  readonly stack: Stack;
  readonly paths: HostPaths;
  readonly docker: Docker;
  readonly compose: Compose;
  readonly psql: Psql;
  readonly http: Http;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly events: Events;
  /** Writes a colour's compose.yaml and the files it mounts for that release. */
  readonly materialiseColour: (stack: Stack, colour: Colour, release: Release) => Promise<void>;
  /** What each service's container of that colour would be labelled with now: it changes with its definition and every file it mounts. */
  readonly colourConfig: (stack: Stack, colour: Colour, release: Release) => Promise<Readonly<Record<string, string>>>;
  /** Makes database and roles as the stack wants them; does nothing where they are. */
  readonly provisionDatabase: () => Promise<void>;
  /** A secret of the stack's vault; undefined when it has none of that name. */
  readonly secret: (name: string) => Promise<Secret | undefined>;
  /** Bytes on the fullest disk of the stack's: that of its data or that of the engine. */
  readonly freeBytes: () => Promise<number>;
  /** SIGHUP to a process of the host: Traefik reads its dynamic folder again. */
  readonly hangUp: (pid: number) => void;
  readonly who: string;
  readonly random: (bytes: number) => Uint8Array;
}
