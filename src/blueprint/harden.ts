import * as z from "zod";
import type { Json } from "../kernel/canonical.ts";
import { isDerivedName } from "../release/derived-name.ts";
import type { JsonMap } from "./compose-document.ts";
import { blueprintInvalid } from "./template.ts";

const network = z.enum(["edge", "app", "data", "metrics", "egress", "offsite"]);
const json: z.ZodType<Json> = z.json();

/** What a fragment says under `x-needs`: its exceptions from the strictest setting, and its share of the host. */
const needsSchema = z.strictObject({
  /** Numeric, as the image is made for. */
  user: z.string().regex(/^[1-9]\d*:[1-9]\d*$/),
  memory: z.number().int().positive(),
  networks: z.array(network).min(1).optional(),
  /** Once it has ended nothing starts it again; without networks it has none. */
  scratch: z.literal(true).optional(),
  /** Further names in a network, by network. */
  aliases: z.partialRecord(network, z.array(z.string())).default({}),
  /** Folders in memory; each belongs to the service's user and counts against its memory. */
  writable: z.array(z.strictObject({ path: z.string().startsWith("/"), size: z.string().regex(/^\d+[km]$/), mode: z.string().default("0700") })).default([]),
  pids: z.number().int().default(200),
  stopSeconds: z.number().int().default(30),
  files: z.number().int().default(8192),
  /**
   * The kernel kills the highest first when the host's memory is gone. None is below 0, the database's: lowering takes CAP_SYS_RESOURCE,
   * which an engine inside a container or a confined VM does not have, and then no container starts.
   */
  oomScore: z.number().int().min(0).max(1000).default(0),
});

/** What else a fragment may say. Everything that hardening decides is missing here on purpose. */
const fragmentSchema = z.strictObject({
  "x-needs": needsSchema,
  image: z.string(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  volumes: z.array(z.strictObject({ source: z.string(), target: z.string(), writable: z.boolean().default(false) })).optional(),
  ports: z.array(z.strictObject({ host_ip: z.string(), published: z.number().int(), target: z.number().int() })).optional(),
  shm_size: z.number().int().optional(),
  healthcheck: z.strictObject({
    test: z.array(z.string()).min(2),
    interval: z.string().default("10s"),
    timeout: z.string().default("5s"),
    retries: z.number().int().default(3),
    start_period: z.string().default("30s"),
  }),
  labels: z.record(z.string(), json).optional(),
});

/** A fragment of a part → the whole service. A fragment cannot forget hardening, and cannot turn it off. */
export function harden(service: string, fragment: Json, labels: Readonly<Record<string, string>>): JsonMap {
  const parsed = fragmentSchema.safeParse(fragment);
  if (!parsed.success) throw blueprintInvalid(`service ${service}`, z.prettifyError(parsed.error).replaceAll("\n", " "));
  const { "x-needs": needs, ...said } = parsed.data;
  const [uid, gid] = needs.user.split(":");
  return {
    image: said.image,
    // A registry's image of that name would be somebody else's.
    ...(isDerivedName(said.image) ? { pull_policy: "never" } : {}),
    ...(said.entrypoint === undefined ? {} : { entrypoint: said.entrypoint }),
    ...(said.command === undefined ? {} : { command: said.command }),
    user: needs.user,
    init: true,
    restart: needs.scratch === true ? "no" : "unless-stopped",
    stop_grace_period: `${needs.stopSeconds}s`,
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
    // A swap limit equal to the memory limit means none of this service's memory is swapped out.
    mem_limit: needs.memory,
    memswap_limit: needs.memory,
    pids_limit: needs.pids,
    oom_score_adj: needs.oomScore,
    ulimits: { nofile: { soft: needs.files, hard: needs.files } },
    ...(said.shm_size === undefined ? {} : { shm_size: said.shm_size }),
    ...(said.environment === undefined ? {} : { environment: textValues(said.environment) }),
    ...(said.volumes === undefined ? {} : { volumes: said.volumes.map(mount) }),
    ...(needs.writable.length === 0
      ? {}
      : { tmpfs: needs.writable.map(({ path, size, mode }) => `${path}:rw,noexec,nosuid,nodev,size=${size},uid=${uid},gid=${gid},mode=${mode}`) }),
    ...(said.ports === undefined || said.ports.length === 0
      ? {}
      : { ports: said.ports.map((port) => ({ ...port, published: String(port.published), protocol: "tcp" })) }),
    ...networksOf(service, needs),
    // While it starts it is asked each second: a deploy waits for it.
    healthcheck: { ...said.healthcheck, start_interval: "1s" },
    logging: { driver: "local", options: { "max-size": "10m", "max-file": "5" } },
    labels: { ...said.labels, ...labels },
  };
}

function networksOf(service: string, { networks, scratch, aliases }: z.infer<typeof needsSchema>): JsonMap {
  if (networks === undefined && scratch !== true) throw blueprintInvalid(`service ${service}`, "it needs networks or scratch: true");
  if (networks === undefined) return { network_mode: "none" };
  const named = networks.map((name): [string, Json] => {
    const others = aliases[name];
    return [name, others === undefined ? {} : { aliases: others }];
  });
  return { networks: Object.fromEntries(named) };
}

/** Environment values as the text they are: a number such as 0755 must not be read as YAML's. */
function textValues(values: Readonly<Record<string, string | number | boolean>>): JsonMap {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
}

/** `create_host_path: false`: a missing source is an error of the deploy and must not become an empty folder owned by root. */
function mount(volume: { readonly source: string; readonly target: string; readonly writable: boolean }): JsonMap {
  return {
    type: "bind",
    source: volume.source,
    target: volume.target,
    ...(volume.writable ? {} : { read_only: true }),
    bind: { create_host_path: false },
  };
}
