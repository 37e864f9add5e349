import { z } from "zod";
import { hashOf } from "../kernel/canonical.ts";

/** The two places a release can run. */
export const COLOURS = ["blue", "green"] as const;
export type Colour = (typeof COLOURS)[number];
export const colourSchema = z.enum(COLOURS);

/** A policy rule set aside for one service, and why. */
export const waiverSchema = z.strictObject({ rule: z.string(), service: z.string(), reason: z.string() });

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
  /** Platform services in the order they come up. */
  services: z.array(z.string()),
  /** Host directories that must exist before the first start. */
  directories: z.array(z.strictObject({ path: z.string(), uid: z.number().int(), gid: z.number().int(), mode: z.string().regex(/^0[0-7]{3}$/) })),
  /** PostgreSQL roles; each password is the vault's secret of that name. */
  roles: z.array(z.strictObject({ name: z.string(), secret: z.string(), purpose: z.enum(["owner", "monitor", "backup"]), connectionLimit: z.number().int() })),
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
    failedRounds: z.number().int(),
    errorRatio: z.number(),
    minimumRequests: z.number().int(),
  }),
  /** Policy findings that a waiver let pass: shown in every plan. The host has its own word on them, see `readHostWaivers`. */
  waived: z.array(waiverSchema),
});

/**
 * The rendered files of one environment and the facts the agent needs. Paths: `platform/compose.yaml`, `blue/compose.yaml`,
 * `green/compose.yaml` (image `${MILLWRIGHT_RELEASE}`), the config files they mount by relative path (`../edge/traefik.yaml`),
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
export function stackId(facts: StackFacts, files: readonly StackFile[]): string {
  return hashOf({ facts, files: [...files].sort((a, b) => (a.path < b.path ? -1 : 1)) }).slice(0, 16);
}

/** Stands for the release's image in a colour's compose.yaml until the agent puts the digest there. */
export const RELEASE_IMAGE = "${MILLWRIGHT_RELEASE}";
