import * as z from "zod";
import { MillwrightError } from "../kernel/errors.ts";
import { type DerivedImage, derivedName } from "../release/derived-name.ts";
import type { Environment } from "../site/environment.ts";
import { knownHostName } from "../site/host-key.ts";
import type { Blueprint, Part } from "./blueprint.ts";
import { hostPaths } from "./host-paths.ts";
import { type ImageLock, lockedReference } from "./image-lock.ts";
import { RELEASE_IMAGE } from "./stack.ts";
import type { View } from "./template.ts";

/**
 * Text that may stand in a rendered file: anything a person types into one line, but no control characters (a line end would be a new
 * line of somebody's configuration) and nothing that the agent would take for a reference to a secret.
 */
const text = z
  .string()
  .refine((value) => !/[\p{Cc}\u2028\u2029]/u.test(value), "has a control character or a line end")
  .refine((value) => !value.includes("<<secret"), 'contains "<<secret"');
const count = z.number().int().nonnegative();
const bytes = z.number().int().positive();

/** What templates see. Strict and without null: in Handlebars a missing value and an empty one look the same. */
const viewSchema = z.strictObject({
  site: text,
  environment: text,
  stack: z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/),
  company: text,
  domain: z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/),
  listen: z.ipv4(),
  odoo: z.strictObject({
    series: z.enum(["17.0", "18.0", "19.0"]),
    is19: z.boolean(),
    demoByDefault: z.boolean(),
    database: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/),
    user: text,
    uid: count,
    gid: count,
    workers: count,
    cronThreads: count,
    limitMemorySoft: bytes,
    limitMemoryHard: bytes,
    maxConnections: count,
    maxConnectionsGevent: count,
  }),
  image: z.record(z.string(), z.string()),
  user: z.record(z.string(), z.string()),
  uid: z.record(z.string(), count),
  certificate: z.strictObject({
    acme: z.boolean(),
    email: text,
    directory: text,
    listed: z.boolean(),
    ownAuthority: z.boolean(),
    routerTls: z.record(z.string(), text),
    authorityFile: text,
  }),
  sessions: z.strictObject({ redis: z.boolean(), maxMemory: count }),
  monitoring: z.boolean(),
  memory: z.record(z.string(), count),
  postgres: z.record(z.string(), count),
  databaseCommand: z.array(text),
  startPeriod: z.strictObject({ database: text }),
  stop: z.strictObject({ web: count, cron: count }),
  backup: z.strictObject({ processes: count, hasOffsite: z.boolean(), networks: z.array(z.string()), script: text }),
  offsite: z.strictObject({
    s3: z.boolean(),
    sftp: z.boolean(),
    host: text,
    port: count,
    folder: text,
    bucket: text,
    region: text,
    user: text,
    knownHosts: z.array(text),
  }),
  role: z.strictObject({ serves: z.boolean(), follows: z.boolean(), isFollowed: z.boolean(), hasPeer: z.boolean() }),
  peer: text,
  paths: z.strictObject({ traffic: text, data: text, backup: text }),
});

const POSTGRES = ["postgres", "-c", "config_file=/etc/postgresql/postgresql.conf"];

export interface BuildView {
  readonly environment: Environment;
  readonly blueprint: Blueprint;
  readonly lock: ImageLock;
}

/** The official images an environment needs, by their names in the lock: what `millwright lock` asks the digests of. */
export function imagesOf(environment: Environment, blueprint: Blueprint): readonly { readonly name: string; readonly source: string }[] {
  const ofParts = catalogue(environment, blueprint).flatMap(([name, image]) => ("source" in image ? [{ name, source: image.source }] : []));
  return [{ name: "odoo", source: seriesOf(environment, blueprint).image }, ...ofParts];
}

/** The images that are made of those, by their names in the blueprint. */
export function derivedImagesOf({ environment, blueprint, lock }: BuildView): readonly (DerivedImage & { readonly name: string })[] {
  const official = new Map(imagesOf(environment, blueprint).map(({ name, source }) => [name, source]));
  return catalogue(environment, blueprint).flatMap(([name, image]) => {
    if ("source" in image) return [];
    const source = official.get(image.from);
    if (source === undefined) throw new MillwrightError("BLUEPRINT_INVALID", `The image "${name}" is made of "${image.from}", which no part has.`);
    const derivation = { base: lockedReference(lock, image.from, source), packages: image.packages };
    return [{ name, image: derivedName(name, derivation), ...derivation }];
  });
}

function catalogue(environment: Environment, blueprint: Blueprint): readonly (readonly [name: string, image: Part["head"]["images"][string]])[] {
  return blueprint.parts.filter((part) => isWanted(part.head.when, environment)).flatMap((part) => Object.entries(part.head.images));
}

export function buildView(input: BuildView): View {
  const { environment, blueprint, lock } = input;
  const { odoo, sizing, certificate, swap } = environment;
  const series = seriesOf(environment, blueprint);
  const paths = hostPaths(environment.stack);
  const wanted = imagesOf(environment, blueprint);
  const users = Object.fromEntries(blueprint.parts.flatMap((part) => Object.entries(part.head.images)));
  const view = {
    site: environment.site,
    environment: environment.name,
    stack: environment.stack,
    company: environment.company,
    domain: environment.domain,
    listen: environment.host.listen,
    odoo: {
      series: odoo.series,
      is19: odoo.series === "19.0",
      demoByDefault: odoo.series !== "19.0",
      database: odoo.database,
      user: `${series.uid}:${series.gid}`,
      uid: series.uid,
      gid: series.gid,
      workers: sizing.workers,
      cronThreads: sizing.cronThreads,
      ...sizing.odoo,
    },
    image: {
      ...Object.fromEntries(wanted.map(({ name, source }) => [name, lockedReference(lock, name, source)])),
      ...Object.fromEntries(derivedImagesOf(input).map(({ name, image }) => [name, image])),
      release: RELEASE_IMAGE,
    },
    user: Object.fromEntries(Object.entries(users).map(([name, image]) => [name, `${image.uid}:${image.gid}`])),
    uid: Object.fromEntries(Object.entries(users).map(([name, image]) => [name, image.uid])),
    certificate: {
      acme: certificate.kind === "acme",
      email: certificate.kind === "acme" ? certificate.email : "",
      directory: certificate.kind === "acme" ? certificate.directory : "",
      listed: certificate.kind !== "acme",
      ownAuthority: hasOwnAuthority(environment),
      // Empty means those that the system trusts.
      authorityFile: hasOwnAuthority(environment) ? "/etc/blackbox/ca.pem" : "",
      routerTls: certificate.kind === "acme" ? { certResolver: "acme" } : {},
    },
    // Redis forks to rewrite its log, and the copy may touch every page: the rest of the limit is for that.
    sessions: { redis: environment.sessions === "redis", maxMemory: Math.floor(sizing.memory.cache * 0.6) },
    monitoring: environment.monitoring,
    memory: memoryShares(environment),
    postgres: { ...sizing.postgres },
    databaseCommand: [...(environment.standby === undefined ? [] : ["/bin/sh", "/opt/millwright/start.sh"]), ...POSTGRES],
    // A standby replays first what was archived since the backup that it was made of.
    startPeriod: { database: environment.follows === undefined ? "120s" : "6h" },
    // Requests are drained before a colour is stopped, so this is for what the drain cut and for a stop by hand.
    stop: { web: Math.ceil(Math.max(60, swap.drainSeconds)) + 10, cron: Math.ceil(Math.max(60, swap.cronSeconds)) + 10 },
    // Half of the processors at most: Odoo goes on.
    backup: {
      processes: Math.min(4, Math.max(1, Math.floor(environment.host.cpus / 2))),
      hasOffsite: environment.backup.offsite !== undefined,
      networks: environment.backup.offsite === undefined ? ["data"] : ["data", "offsite"],
      // A standby's files are laid into the filestore instead of being taken from it.
      script: environment.follows === undefined ? "/opt/millwright/files.sh" : "/opt/millwright/follow.sh",
    },
    offsite: offsiteView(environment.backup),
    ...pairView(environment),
    paths: { traffic: paths.trafficDynamic.replace(/\/dynamic$/, ""), data: paths.data, backup: paths.backup },
  };
  const parsed = viewSchema.safeParse(view);
  if (!parsed.success) {
    throw new MillwrightError("SITE_INVALID", `The environment "${environment.name}" has a value that cannot be rendered unharmed.`, {
      subject: environment.stack,
      details: parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`),
    });
  }
  return parsed.data;
}

/** Which of two hosts this is, and the address of the other one. */
function pairView({ follows, standby }: Environment): { readonly role: Readonly<Record<string, boolean>>; readonly peer: string } {
  const peer = follows ?? standby?.address ?? "";
  return { role: { serves: follows === undefined, follows: follows !== undefined, isFollowed: standby !== undefined, hasPeer: peer !== "" }, peer };
}

/** What the kind of offsite repository does not have is empty: nothing asks for it. */
function offsiteView({ offsite }: Environment["backup"]): View {
  const nothing = { s3: false, sftp: false, host: "", port: 0, folder: "", bucket: "", region: "", user: "", knownHosts: [] };
  if (offsite === undefined) return nothing;
  const { host, port, path } = offsite;
  const any = { ...nothing, host, port, folder: path === "/" ? "" : path };
  switch (offsite.kind) {
    case "s3":
      return { ...any, s3: true, bucket: offsite.bucket, region: offsite.region };
    case "sftp":
      return { ...any, sftp: true, user: offsite.user, knownHosts: offsite.hostKeys.map((key) => `${knownHostName(host, port)} ${key}`) };
  }
}

/** Whether the site's certificate is signed by an authority that no system trusts by itself. */
export function hasOwnAuthority({ certificate }: Environment): boolean {
  return certificate.kind === "ca" || (certificate.kind === "files" && certificate.ca !== undefined);
}

function isWanted(when: string | undefined, environment: Environment): boolean {
  switch (when) {
    case undefined:
      return true;
    case "sessions.redis":
      return environment.sessions === "redis";
    case "monitoring":
      return environment.monitoring;
    default:
      throw new MillwrightError("BLUEPRINT_INVALID", `A part is made to depend on "${when}", which no site decides.`);
  }
}

/**
 * Monitoring's share is given for all of it: Prometheus and up to four exporters divide it. The scratch place has that of the colour that does
 * not serve, for no backup is restored while a swap is under way.
 */
function memoryShares({ sizing }: Environment): Readonly<Record<string, number>> {
  const { monitoring, ...memory } = sizing.memory;
  const share = (percent: number): number => Math.floor((monitoring * percent) / 100);
  const colour = memory.web + memory.cron;
  const scratchDatabase = Math.floor(colour / 2);
  return { ...memory, prometheus: share(56), exporter: share(11), scratchDatabase, scratchOdoo: colour - scratchDatabase };
}

function seriesOf(environment: Environment, blueprint: Blueprint): { readonly image: string; readonly uid: number; readonly gid: number } {
  const series = blueprint.series[environment.odoo.series];
  if (series === undefined) {
    throw new MillwrightError("SITE_INVALID", `The blueprint ${blueprint.name} ${blueprint.version} has no Odoo ${environment.odoo.series}.`, {
      subject: "odoo.series",
      hint: `Choose one of ${Object.keys(blueprint.series).join(", ")}.`,
    });
  }
  return series;
}
