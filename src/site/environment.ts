import type { Sizing } from "./sizing.ts";

/** A site's environment with every default filled in and its overlay applied: what the rest of millwright works from. */
export interface Environment {
  /** Site slug, such as `acme`. */
  readonly site: string;
  /** Environment name, such as `production`. */
  readonly name: string;
  /** `<site>-<environment>`: the name of the platform's Compose project and of everything on the host. */
  readonly stack: string;
  readonly company: string;
  readonly domain: string;
  readonly odoo: {
    readonly series: "17.0" | "18.0" | "19.0";
    readonly users: number;
    readonly modules: readonly string[];
    readonly database: string;
    readonly language: string;
  };
  readonly certificate: Certificate;
  readonly sessions: "files" | "redis";
  readonly host: Login & {
    /** Address that Traefik publishes 80 and 443 on. */
    readonly listen: string;
    readonly memoryBytes: number;
    readonly cpus: number;
  };
  /** A second host that follows this one. */
  readonly standby?: Standby;
  /** Address of the host that this one follows: the environment is that of a standby, see `standbyOf`. */
  readonly follows?: string;
  readonly docker: {
    readonly source: "distribution" | "docker";
    /** Registry mirrors of Docker Hub, `http(s)://host:port`; plain-http ones are marked insecure in daemon.json. */
    readonly mirrors: readonly string[];
    /** Address range for the stack's networks; must not collide with the plant's. */
    readonly pool: string;
  };
  readonly firewall: { readonly ssh: readonly string[]; readonly web: readonly string[] };
  readonly dataDisk: string | undefined;
  readonly sizing: Sizing;
  readonly smoke: readonly SmokeProbe[];
  readonly swap: SwapPolicy;
  /** How long a preview waits for a person, at most. No part of the stack: it is said with the upgrade that has one. */
  readonly previewSeconds: number;
  readonly backup: BackupPolicy;
  readonly monitoring: boolean;
  readonly waivers: readonly Waiver[];
}

export interface BackupPolicy {
  /** Time of day of the daily backup, UTC. */
  readonly at: string;
  /** Day of the week of the full one; 0 is Sunday. */
  readonly full: number;
  /** Day of the week whose backup is restored to a scratch place to prove it; undefined for never. */
  readonly drill: number | undefined;
  readonly keepDays: number;
  /** A second repository, away from the host. */
  readonly offsite?: OffsitePolicy;
}

export type OffsitePolicy = {
  readonly host: string;
  readonly port: number;
  /** `/`, or a folder without a slash at its end. */
  readonly path: string;
  readonly keepDays: number;
} & (
  | {
      /** A bucket of an S3 service, reached by TLS and addressed by path. */
      readonly kind: "s3";
      readonly bucket: string;
      readonly region: string;
      /** PEM file of the site folder. */
      readonly ca: string;
    }
  | {
      /** A folder of another host, reached by SSH. */
      readonly kind: "sftp";
      readonly user: string;
      /** The keys that the host may show, each as `type base64`. */
      readonly hostKeys: readonly string[];
    }
);

/** How one gets into a host. */
interface Login extends HostAddress {
  /** Sudo-capable account for bootstrap. */
  readonly admin: string;
  /** Account whose key is tied to the agent's verbs. */
  readonly deploy: string;
  readonly jump?: HostAddress & { readonly user: string };
}

export interface Standby extends Login {
  readonly listen: string;
  readonly dataDisk?: string;
}

export interface HostAddress {
  readonly address: string;
  readonly port: number;
}

export type Certificate =
  | { readonly kind: "acme"; readonly email: string; readonly directory: string }
  /** Files in the site folder: PEM chain, and the key as a secret of the vault; `ca` signs them when it is the plant's own. */
  | { readonly kind: "files"; readonly chain: string; readonly ca?: string }
  /** A private authority that millwright makes and keeps in the vault. */
  | { readonly kind: "ca" };

/** The site's own checks of a colour, beside the built-in ones. */
export type SmokeProbe =
  | { readonly kind: "http"; readonly name: string; readonly path: string; readonly status: number; readonly contains?: string }
  | { readonly kind: "jsonrpc"; readonly name: string; readonly model: string; readonly method: string; readonly args: readonly unknown[] };

export interface SwapPolicy {
  /** How long the new colour may take until all its workers are warm. */
  readonly readySeconds: number;
  /** How long running requests of the old colour may take to end after the switch. */
  readonly drainSeconds: number;
  /** How long running cron jobs of the old colour are waited for. */
  readonly cronSeconds: number;
  readonly bakeSeconds: number;
  /** Seconds between two rounds of probes in the bake. */
  readonly probeSeconds: number;
  /** The stages before all users are moved, in percent of them; absent when all are moved at once. */
  readonly canary?: { readonly percent: readonly number[]; readonly stageSeconds: number } | undefined;
  readonly rules: SwapRules;
}

/** What a broken rule leads to: the release is taken back, it is only told, or nobody looks. */
export type RuleAction = "fail" | "warn" | "off";

/** By what a new release is judged while it bakes; docs/swap.md says what each rule sees. */
export interface SwapRules {
  readonly baselineSeconds: number;
  readonly extendSeconds: number;
  readonly probes: { readonly failAfter: number; readonly passAfter: number; readonly flaps: number; readonly window: number };
  readonly traffic: { readonly minimumRequests: number; readonly rate: number; readonly routes: readonly string[] };
  readonly errors: { readonly action: RuleAction; readonly share: number; readonly routeShare: number; readonly minimum: number };
  readonly latency: { readonly action: RuleAction; readonly ratio: number; readonly floorSeconds: number; readonly minimumRequests: number };
  readonly memory: { readonly action: RuleAction; readonly overSeconds: number; readonly withinSeconds: number; readonly above: number };
  readonly log: { readonly action: RuleAction; readonly kinds: number; readonly entries: number };
}

export interface Waiver {
  readonly rule: string;
  readonly service: string;
  readonly reason: string;
}
