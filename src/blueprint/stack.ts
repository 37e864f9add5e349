import * as z from "zod";
import { hashOf } from "../kernel/canonical.ts";
import { DERIVATION, type DerivedImage } from "../release/derived-name.ts";

/** The two places a release can run. */
export const COLOURS = ["blue", "green"] as const;
export type Colour = (typeof COLOURS)[number];
export const colourSchema = z.enum(COLOURS);

/** A policy rule set aside for one service, and why. */
export const waiverSchema = z.strictObject({ rule: z.string(), service: z.string(), reason: z.string() });

const ruleAction = z.enum(["fail", "warn", "off"]);
const swapRulesSchema = z.strictObject({
  baselineSeconds: z.number(),
  extendSeconds: z.number(),
  probes: z.strictObject({ failAfter: z.number().int(), passAfter: z.number().int(), flaps: z.number().int(), window: z.number().int() }),
  traffic: z.strictObject({ minimumRequests: z.number().int(), rate: z.number(), routes: z.array(z.string()) }),
  errors: z.strictObject({ action: ruleAction, share: z.number(), routeShare: z.number(), minimum: z.number().int() }),
  latency: z.strictObject({ action: ruleAction, ratio: z.number(), floorSeconds: z.number(), minimumRequests: z.number().int() }),
  memory: z.strictObject({ action: ruleAction, overSeconds: z.number(), withinSeconds: z.number(), above: z.number() }),
  log: z.strictObject({ action: ruleAction, kinds: z.number().int(), entries: z.number().int() }),
});

const weekday = z.number().int().min(0).max(6);
const stackName = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/)
  .max(48);

/**
 * One file of a stack. `secret` files hold references of the form `<<secret NAME>>`, which the agent fills in on the host; their plain
 * text exists there only, in a 0400 file of `uid`.
 */
export const stackFileSchema = z.strictObject({
  path: z.string().regex(/^[a-z0-9][a-zA-Z0-9_.-]*(\/[a-zA-Z0-9_][a-zA-Z0-9_.-]*)*$/),
  content: z.string(),
  executable: z.boolean().default(false),
  secret: z.boolean().default(false),
  /** Owner on the host of a secret file. */
  uid: z.number().int().default(0),
});

/** What the agent has to know of the environment to deploy it and to swap on it: rendered from the site, never edited by hand. */
export const stackFactsSchema = z.strictObject({
  version: z.literal(1),
  stack: stackName,
  site: z.string(),
  environment: z.string(),
  blueprint: z.strictObject({ name: z.string(), version: z.string() }),
  domain: z.string(),
  listen: z.string(),
  series: z.enum(["17.0", "18.0", "19.0"]),
  database: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/),
  modules: z.array(z.string()),
  language: z.string(),
  workers: z.number().int(),
  sessions: z.enum(["files", "redis"]),
  /** Base image of releases, by digest. */
  releaseBase: z.string(),
  /** Images of the platform, by digest: `deploy` pulls those that the host lacks. */
  images: z.array(z.string()),
  /** Images of the platform that are made of those, each with the name that its making gives it; absent in stacks of versions that had none. */
  derived: z
    .array(z.strictObject({ image: z.string(), base: z.string().regex(DERIVATION.base), packages: z.array(z.string().regex(DERIVATION.package)).min(1) }))
    .optional(),
  /** Platform services in the order they come up. */
  services: z.array(z.string()),
  /** Host directories that must exist before the first start. */
  directories: z.array(z.strictObject({ path: z.string(), uid: z.number().int(), gid: z.number().int(), mode: z.string().regex(/^0[0-7]{3}$/) })),
  /** PostgreSQL roles; each password is the vault's secret of that name. */
  roles: z.array(
    z.strictObject({ name: z.string(), secret: z.string(), purpose: z.enum(["owner", "monitor", "replication"]), connectionLimit: z.number().int() }),
  ),
  /** Names that the vault must hold. */
  secrets: z.array(z.string()),
  smoke: z.array(
    z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("http"), name: z.string(), path: z.string(), status: z.number().int(), contains: z.string().optional() }),
      z.strictObject({ kind: z.literal("jsonrpc"), name: z.string(), model: z.string(), method: z.string(), args: z.array(z.unknown()) }),
    ]),
  ),
  swap: z.strictObject({
    readySeconds: z.number(),
    drainSeconds: z.number(),
    cronSeconds: z.number(),
    bakeSeconds: z.number(),
    probeSeconds: z.number(),
    canary: z.strictObject({ percent: z.array(z.number().int().min(1).max(99)), stageSeconds: z.number() }).optional(),
    rules: swapRulesSchema,
  }),
  backup: z.strictObject({
    /** Time of day of the daily backup, UTC. */
    at: z.string().regex(/^\d\d:\d\d$/),
    /** Day of the week of the full one, and that of the drill; 0 is Sunday. */
    full: weekday,
    drill: weekday.optional(),
    keepDays: z.number().int().min(1),
    /** The second repository, away from the host, by its server and what it is there. */
    offsite: z.strictObject({ place: z.string(), keepDays: z.number().int().min(1) }).optional(),
  }),
  /** Address of the standby that may follow; absent where there is none. */
  standby: z.ipv4().optional(),
  /** Address of the host that this one follows, as a standby: absent where a release may serve. */
  follows: z.ipv4().optional(),
  /** Policy findings that a waiver let pass: shown in every plan. The host has its own word on them, see `readHostWaivers`. */
  waived: z.array(waiverSchema),
});

/**
 * The rendered files of one environment and the facts the agent needs. Paths: `platform/compose.yaml`, `blue/compose.yaml`,
 * `green/compose.yaml` (image `${MILLWRIGHT_RELEASE}`), `recovery/compose.yaml` (what a backup is restored to), the config files they mount by relative path (`../edge/traefik.yaml`),
 * `edge/routes.json` (Traefik's dynamic configuration without the services of the colours) and `secrets.age` (the vault).
 */
export const stackSchema = z.strictObject({
  version: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  facts: stackFactsSchema,
  files: z.array(stackFileSchema),
});

export type StackFile = z.infer<typeof stackFileSchema>;
export type StackFacts = z.infer<typeof stackFactsSchema>;
export type Stack = z.infer<typeof stackSchema>;

/** A stack's id: the hash of its content, so that the same site, blueprint and lock always have the same id. */
export function stackId(facts: unknown, files: readonly StackFile[]): string {
  return hashOf({ facts, files: [...files].sort((a, b) => (a.path < b.path ? -1 : 1)) }).slice(0, 16);
}

export function derivedOf({ facts }: Pick<Stack, "facts">): readonly DerivedImage[] {
  return facts.derived ?? [];
}

/** Label that names the definition, and all files it mounts, that a container was made from. */
export const CONFIG_LABEL = "millwright.config";

/** Stands for the release's image in a colour's compose.yaml until the agent puts the digest there. */
export const RELEASE_IMAGE = "${MILLWRIGHT_RELEASE}";
