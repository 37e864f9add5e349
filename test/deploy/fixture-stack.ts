import { type Stack, type StackFacts, type StackFile, stackFactsSchema, stackFileSchema, stackId } from "../../src/blueprint/stack.ts";
import { sha256 } from "../../src/kernel/canonical.ts";
import { type DerivedImage, derivedName } from "../../src/release/derived-name.ts";
import { DEFAULT_POLICY } from "../fakes/swap-policy.ts";
import { asText, type JsonMap } from "../../src/blueprint/compose-document.ts";
import { toYaml } from "../../src/blueprint/to-yaml.ts";

export const STACK = "acme-production";
export const image = (name: string): string => `${name}@sha256:${sha256(name)}`;

type Service = JsonMap;

/** A service that the host's policy lets pass. */
export function hardened(over: Service): Service {
  return {
    init: true,
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
    user: "999:999",
    mem_limit: 268_435_456,
    pids_limit: 100,
    healthcheck: { test: ["CMD", "true"], interval: "5s", timeout: "5s", retries: 3, start_period: "10s" },
    ...over,
  };
}

export interface StackParts {
  readonly services: Record<string, Service>;
  readonly files: Record<string, string>;
  readonly secretFiles: Record<string, string>;
  readonly facts: Partial<StackFacts>;
  readonly colour: Service;
  /** The colours' second service; absent where a test does not need it. */
  readonly cron?: Service;
}

export function parts(): StackParts {
  return {
    services: {
      edge: hardened({
        image: image("traefik:v3.7"),
        ports: ["127.0.0.1:80:8080", "127.0.0.1:443:8443"],
        networks: ["edge", "app"],
        volumes: [
          { type: "bind", source: "../edge/traefik.yaml", target: "/etc/traefik/traefik.yaml", read_only: true },
          { type: "bind", source: `/srv/millwright/${STACK}/traffic`, target: "/traffic", read_only: true },
        ],
      }),
      database: hardened({
        image: image("postgres:18"),
        networks: ["data"],
        volumes: [
          { type: "bind", source: "../database/postgresql.conf", target: "/etc/postgresql.conf", read_only: true },
          { type: "bind", source: "../database/superuser", target: "/run/superuser", read_only: true },
          { type: "bind", source: `/srv/millwright/${STACK}/data/postgres`, target: "/var/lib/postgresql" },
        ],
      }),
      exporter: hardened({ image: image("exporter:1"), networks: ["data", "metrics"], volumes: ["../exporter:/etc/exporter:ro"] }),
    },
    files: {
      "edge/traefik.yaml": "entryPoints: {}\n",
      "edge/routes.json": "{}\n",
      "database/postgresql.conf": "shared_buffers = 1GB\n",
      "exporter/a/config.yaml": "a: 1\n",
      "exporter/b.yaml": "b: 1\n",
    },
    secretFiles: { "database/superuser": "<<secret db_superuser>>", "app/odoo.conf": "db_password = <<secret db_odoo>>\n" },
    facts: {},
    colour: hardened({
      image: "${MILLWRIGHT_RELEASE}",
      networks: ["app", "data"],
      volumes: [{ type: "bind", source: "../app/odoo.conf", target: "/etc/odoo/odoo.conf", read_only: true }],
    }),
  };
}

/** Puts pgBackRest into the database's image; `say` changes what the facts say of it. */
export function derive({ services, facts }: StackParts, say: (derived: Mutable<DerivedImage>) => void = () => {}): DerivedImage {
  const derivation = { base: image("postgres:18"), packages: ["pgbackrest"] };
  const derived = { image: derivedName("database", derivation), ...derivation };
  say(derived);
  services["database"] = { ...services["database"], image: derived.image, pull_policy: "never" };
  Object.assign(facts, { images: [image("traefik:v3.7"), image("exporter:1"), image("postgres:18")], derived: [derived] });
  return derived;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const NETWORKS = ["edge", "app", "data", "metrics"] as const;
const OPEN = ["edge"];

/** A small stack: edge, database, exporter, and one web service a colour. */
export function fixtureStack(change: (parts: StackParts) => void = () => {}): Stack {
  const made = parts();
  change(made);
  const file = (path: string, content: string, over: Partial<StackFile> = {}): StackFile => stackFileSchema.parse({ path, content, ...over });
  const platformNetworks = Object.fromEntries(NETWORKS.map((name) => [name, { name: `${STACK}_${name}`, ...(OPEN.includes(name) ? {} : { internal: true }) }]));
  const colourNetworks = Object.fromEntries(["app", "data"].map((name) => [name, { name: `${STACK}_${name}`, external: true }]));
  const files = [
    file("platform/compose.yaml", toYaml({ name: STACK, services: made.services, networks: platformNetworks })),
    ...["blue", "green"].map((colour) =>
      file(
        `${colour}/compose.yaml`,
        toYaml({
          name: `${STACK}-${colour}`,
          services: { web: made.colour, ...(made.cron === undefined ? {} : { cron: made.cron }) },
          networks: colourNetworks,
        }),
      ),
    ),
    file("recovery/compose.yaml", toYaml({ name: `${STACK}-recovery`, services: {} })),
    file("secrets.age", "vault-1"),
    ...Object.entries(made.files).map(([path, content]) => file(path, content)),
    ...Object.entries(made.secretFiles).map(([path, content]) => file(path, content, { secret: true, uid: OWN_UID })),
  ];
  const facts = stackFactsSchema.parse({
    version: 1,
    stack: STACK,
    site: "acme",
    environment: "production",
    blueprint: { name: "odoo", version: "0.1.0" },
    domain: "erp.acme.example",
    listen: "127.0.0.1",
    series: "19.0",
    database: "odoo",
    modules: ["mrp"],
    language: "en_US",
    workers: 2,
    sessions: "files",
    releaseBase: image("odoo:19"),
    images: Object.values(made.services).map((service) => asText(service["image"])),
    services: Object.keys(made.services),
    directories: [],
    roles: [
      { name: "odoo", secret: "db_odoo", purpose: "owner", connectionLimit: 60 },
      { name: "monitor", secret: "db_monitor", purpose: "monitor", connectionLimit: 5 },
    ],
    secrets: ["db_superuser", "db_odoo", "db_monitor"],
    smoke: [],
    swap: {
      ...DEFAULT_POLICY,
      readySeconds: 60,
      drainSeconds: 30,
      cronSeconds: 30,
      probeSeconds: 5,
      rules: {
        ...DEFAULT_POLICY.rules,
        probes: { ...DEFAULT_POLICY.rules.probes, failAfter: 2, passAfter: 2 },
        traffic: { minimumRequests: 20, rate: 2, routes: [] },
        latency: { ...DEFAULT_POLICY.rules.latency, action: "off", minimumRequests: 5 },
      },
    },
    backup: { at: "02:30", full: 0, drill: 0, keepDays: 14 },
    waived: [],
    ...made.facts,
  });
  return { version: 1, id: stackId(facts, files), facts, files };
}

/** Tests may run without root, who alone can give files away. */
export const OWN_UID = process.getuid?.() ?? 0;
