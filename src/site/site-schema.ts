import * as z from "zod";
import { backup } from "./backup-schema.ts";
import { dataDisk, host, standby } from "./host-schema.ts";
import { PUBLIC_ACME_DIRECTORY } from "./site-defaults.ts";
import { someSwapRules, swapRules } from "./swap-rules.ts";
import { addressRange, certificateFile, domain, duration, email, environmentName, isPlainText, moduleName, siteName, text, TEXT_RULE } from "./site-values.ts";

const odoo = {
  series: z.enum(["17.0", "18.0", "19.0"]).describe('Odoo series, in quotes: "19.0".'),
  users: z.int().min(1).max(2000).describe("People who work in Odoo at the same time, each shop-floor terminal counted as one. Sizes everything."),
  modules: z.array(moduleName).max(200).describe("Modules installed when the database is made, by technical name. Later ones come with a release."),
  database: z
    .string()
    .regex(/^(?!(?:postgres|template[01])$)[a-z][a-z0-9_]{0,62}$/, "must be lower-case letters, digits and underscores, and not a name PostgreSQL uses itself")
    .describe("Name of the PostgreSQL database. Do not change it once it exists."),
  language: z
    .string()
    .regex(/^[a-z]{2,3}(_([A-Z]{2}|\d{3}))?(@[a-z]+)?$/, "must be a language code such as en_US or de_DE")
    .describe("Language loaded at the start."),
};

const CERTIFICATE_KIND = "`acme`, `ca` or `files`; required where `certificate` is stated.";
const SMOKE_KIND = "`http` (a page) or `jsonrpc` (a call with the account millwright-probe); required.";

const certificate = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("acme").describe(CERTIFICATE_KIND),
      email: email.describe("Address that the authority warns before a certificate ends."),
      directory: z
        .string()
        .regex(/^https:\/\/[a-z0-9.-]+(:\d{1,5})?(\/[A-Za-z0-9._~/-]*)?$/, "must be an https address")
        .default(PUBLIC_ACME_DIRECTORY)
        .describe("Directory of the ACME authority; another one for an authority of the plant's own."),
    }),
    z.strictObject({
      kind: z.literal("files").describe(CERTIFICATE_KIND),
      chain: certificateFile.describe("PEM file with the certificate and those above it. Its key is the secret tls_key."),
      ca: certificateFile.optional().describe("PEM file of the authority, when it is the plant's own: the tool's own checks trust it."),
    }),
    z.strictObject({ kind: z.literal("ca").describe(CERTIFICATE_KIND) }),
  ])
  .describe(
    "Where the web certificate comes from: acme (fetched and renewed by itself), ca (an authority made for this site) or files. An environment states it whole.",
  );

const docker = {
  source: z.enum(["distribution", "docker"]).describe("Docker from the host's distribution, or from Docker's own repository."),
  mirrors: z
    .array(z.string().regex(/^https?:\/\/[a-z0-9.-]+(:\d{1,5})?$/, "must be http(s)://host:port without a path"))
    .max(8)
    .describe("Mirrors of Docker Hub in the plant, tried before the internet."),
  pool: addressRange.describe("Address range for the containers' networks. Must not be used anywhere in the plant."),
};

const firewall = {
  ssh: z.array(addressRange).max(50).describe("Ranges that may reach SSH; an empty list means everyone."),
  web: z.array(addressRange).max(50).describe("Ranges that may reach Odoo; an empty list means everyone."),
};

const jsonArgument = z.json().refine((value) => everyText(value, isPlainText), TEXT_RULE);

const smoke = z
  .array(
    z.discriminatedUnion("kind", [
      z.strictObject({
        kind: z.literal("http").describe(SMOKE_KIND),
        name: text(60).describe("Shown in the verdict."),
        path: z
          .string()
          .max(500)
          .regex(/^\/[\x21-\x7e]*$/, "must begin with / and hold no blanks")
          .describe("Path with its query, such as /shop/ping."),
        status: z.int().min(100).max(599).default(200).describe("Status it must answer; a redirect is never followed."),
        contains: text(200).optional().describe("Text that the answer must hold."),
      }),
      z.strictObject({
        kind: z.literal("jsonrpc").describe(SMOKE_KIND),
        name: text(60).describe("Shown in the verdict."),
        model: z
          .string()
          .regex(/^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/, "must be a model such as mrp.production")
          .describe("Model to call."),
        method: z.enum(["search_count", "search_read", "search", "read", "fields_get", "name_search"]).describe("A method that only reads."),
        args: z.array(jsonArgument).default([]).describe("Its positional arguments."),
      }),
    ]),
  )
  .max(30)
  .describe("The plant's own checks of a new release, beside the built-in ones.");

const swap = {
  ready: duration.describe("How long the new release may take until all its workers are warm."),
  drain: duration.describe("How long requests still running on the old release may take after the switch."),
  cron: duration.describe("How long scheduled jobs of the old release are waited for."),
  bake: duration.describe("How long after the switch the new release is watched and may still be taken back by itself."),
  probe: duration.describe("Time between two rounds of probes while baking."),
};

const canary = {
  percent: z
    .array(z.int().min(1).max(99))
    .max(10)
    .refine((stages) => stages.every((percent, index) => percent > (stages[index - 1] ?? 0)), "must rise from stage to stage, such as [1, 10, 50]")
    .describe("How many of 100 browsers are led to the new release, stage by stage, before all are: [1, 10, 50]. Empty (default): all at once."),
  stage: duration.describe("How long each stage is watched, by the same rules as the bake."),
};

const preview = {
  for: duration.describe("How long `upgrade --preview` waits for a person's go; then the new release is taken back."),
};

const sizing = {
  workers: z.int().min(2).max(64).optional().describe("Odoo workers of one colour, instead of the computed number."),
  cronThreads: z.int().min(1).max(8).optional().describe("Scheduled jobs at the same time, instead of the computed number."),
};

const waivers = z
  .array(
    z.strictObject({
      rule: z
        .string()
        .regex(/^[a-z][a-z0-9-]*$/, "must be the name of a policy rule")
        .describe("Policy rule that is set aside."),
      service: z
        .string()
        .regex(/^[a-z][a-z0-9-]*$/, "must be the name of a service")
        .describe("The one service it is set aside for."),
      reason: text(300).min(10, "must say why, in at least 10 characters").describe("Why; shown in every plan."),
    }),
  )
  .max(50)
  .describe("Policy rules set aside, each with its reason.");

const plain = {
  domain: domain.describe("Name that people type into the browser."),
  certificate,
  sessions: z.enum(["files", "redis"]).describe("Where logins are kept: files (default, simplest) or redis. A change logs everybody out once."),
  smoke,
  monitoring: z.boolean().describe("Prometheus and its exporters on the host."),
  waivers,
};

const DESCRIPTIONS = {
  odoo: "What Odoo runs.",
  docker: "The container engine on the host.",
  firewall: "Who may reach the host.",
  swap: "How patient an upgrade is, and what takes it back.",
  rules: "By what a new release is judged while it bakes.",
  canary: "Whether an upgrade leads a few users to the new release before all, with browsers that stay where they are led.",
  preview: "How an upgrade waits that is asked to show the new release to testers before any user meets it (`--preview`).",
  backup: "The daily backup on the host, and how it is proven. The database's log is archived all day long, and new files are kept within a minute.",
  sizing: "Numbers that replace computed ones.",
  host: "The machine that the environment lives on.",
};

/** What may stand at the top of site.yaml and again, to differ, in an environment: every key optional. */
const overlay = {
  ...z.strictObject(plain).partial().shape,
  odoo: z.strictObject(odoo).partial().optional().describe(DESCRIPTIONS.odoo),
  docker: z.strictObject(docker).partial().optional().describe(DESCRIPTIONS.docker),
  firewall: z.strictObject(firewall).partial().optional().describe(DESCRIPTIONS.firewall),
  swap: z
    .strictObject(swap)
    .partial()
    .extend({
      rules: someSwapRules.optional().describe(DESCRIPTIONS.rules),
      canary: z.strictObject(canary).partial().optional().describe(DESCRIPTIONS.canary),
      preview: z.strictObject(preview).partial().optional().describe(DESCRIPTIONS.preview),
    })
    .optional()
    .describe(DESCRIPTIONS.swap),
  backup: z.strictObject(backup).partial().optional().describe(DESCRIPTIONS.backup),
  sizing: z.strictObject(sizing).optional().describe(DESCRIPTIONS.sizing),
};

const environmentFile = z
  .strictObject({
    host: z.strictObject(host).partial().extend({ address: host.address, memory: host.memory, cpus: host.cpus, admin: host.admin }).describe(DESCRIPTIONS.host),
    dataDisk: dataDisk.optional(),
    standby: standby.optional(),
    ...overlay,
  })
  .describe(
    "One place where the site lives. What it states replaces the value above; maps are merged, lists, the certificate and backup.offsite are replaced.",
  );

/** site.yaml as a person writes it. */
export const siteFileSchema = z.strictObject({
  version: z.literal(1).describe("Version of this file's format."),
  name: siteName.describe("Short name of the site. `<name>-<environment>` names everything on the host."),
  company: text(100).describe("Name of the company as people write it."),
  ...overlay,
  environments: z
    .record(environmentName, environmentFile)
    .refine((map) => Object.keys(map).length > 0, "must hold at least one environment, such as production")
    .describe("Where the site lives: production, staging, …"),
});

/** One environment after defaults, the site's own values and the environment's are laid over each other: nothing is left out. */
export const environmentSchema = z.strictObject({
  ...plain,
  dataDisk: dataDisk.optional(),
  standby: standby.optional(),
  odoo: z.strictObject(odoo),
  docker: z.strictObject(docker),
  firewall: z.strictObject(firewall),
  swap: z.strictObject({ ...swap, rules: swapRules, canary: z.strictObject(canary), preview: z.strictObject(preview) }),
  backup: z.strictObject(backup),
  sizing: z.strictObject(sizing),
  host: z.strictObject(host),
});

export type EnvironmentSettings = z.infer<typeof environmentSchema>;

function everyText(value: unknown, rule: (text: string) => boolean): boolean {
  if (typeof value === "string") return rule(value);
  if (Array.isArray(value)) return value.every((inner) => everyText(inner, rule));
  if (value !== null && typeof value === "object") {
    return Object.entries(value).every(([key, inner]) => rule(key) && everyText(inner, rule));
  }
  return true;
}
