import type { HostPaths } from "../blueprint/host-paths.ts";
import type { Stack } from "../blueprint/stack.ts";
import type { Compose, Docker } from "../docker/docker.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Events } from "../kernel/events.ts";
import type { SecretValues } from "../secrets/fill-secrets.ts";
import type { Waiver } from "../site/environment.ts";
import type { HostSystem } from "./host-system.ts";
import type { Redirect } from "./nft-redirect.ts";

/** What the deploy room needs from outside. The agent builds it once for a stack. */
export interface DeployDeps {
  /** `<site>-<environment>`. */
  readonly stack: string;
  readonly paths: HostPaths;
  readonly docker: Docker;
  readonly compose: Compose;
  readonly clock: Clock;
  readonly host: HostSystem;
  /** Decrypts `secrets.age` of a stack with the host's identity: `openHostVault`. */
  readonly openVault: (armored: string) => Promise<SecretValues>;
  /** Writes Traefik's dynamic file for the routes of this stack and the colour that serves, if any. */
  readonly writeRoutes: (stack: Stack) => Promise<void>;
  /** Users wait, at a moment that costs none of them a transaction. */
  readonly holdUsers: (stack: Stack, events: Events, signal: AbortSignal) => Promise<void>;
  /** Ends it. Never fails for what the release answers. */
  readonly letUsersIn: (stack: Stack, events: Events) => Promise<void>;
  /** Makes the backups' repository ready for the database, so that its log has a place to go; why not, when it holds another's. */
  readonly prepareArchive: () => Promise<string | undefined>;
  /** The same for the offsite repository. Throws when it is out of reach. */
  readonly prepareOffsite: (place: string) => Promise<void>;
  /** Makes the database of a standby from the newest backup in the offsite repository: `seedStandby`. `makeWay` ends its service, and is called when the copy is whole. */
  readonly seedStandby: (stack: Stack, signal: AbortSignal, makeWay: () => Promise<void>) => Promise<{ readonly summary: string }>;
  /** Whether this host gave its plant up to another; and the end of that, once it follows. */
  readonly isFenced: () => Promise<boolean>;
  readonly unfence: () => Promise<void>;
  /** Leads new connections past the proxy while it is renewed: `nftRedirect`. */
  readonly redirect: Redirect;
  /** Why users should not be sent to a proxy at this address, by what it answers over TLS; undefined when it shows them what serves now. */
  readonly probeProxy: (door: { readonly domain: string; readonly address: string; readonly port: number }) => Promise<string | undefined>;
  /** SHA-256 fingerprint of the certificate that users get at the published port; throws when there is no handshake. */
  readonly shownCertificate: (door: { readonly domain: string; readonly listen: string }) => Promise<string>;
  /** SQL on the running PostgreSQL as its superuser: rows of fields. */
  readonly query: (sql: string) => Promise<readonly (readonly string[])[]>;
  /** The waivers that this host accepts: `readHostWaivers`. */
  readonly acceptedWaivers: () => Promise<readonly Waiver[]>;
  /** Where the engine keeps its images: `/var/lib/docker`. */
  readonly imageDirectory: string;
}
