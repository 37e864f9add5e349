import { parse, stringify } from "yaml";
import { describe, expect, it } from "vitest";
import { renderStack } from "../../src/blueprint/render-stack.ts";
import type { Stack } from "../../src/blueprint/stack.ts";
import type { Json } from "../../src/kernel/canonical.ts";
import { pathText } from "../../src/site/site-problem.ts";
import { parseSite } from "../../src/site/load-site.ts";
import { siteJsonSchema } from "../../src/site/site-json-schema.ts";
import { exampleInput } from "../blueprint/fixtures/example-input.ts";
import * as fc from "../properties.ts";

const HOST = { address: "192.0.2.30", admin: "zqadmin", deploy: "zqdeploy", listen: "192.0.2.30", memory: "4GiB", cpus: 2 };
const JUMP = { address: "zqjump.example", port: 22, user: "zqjumper" };
const RULES = {
  baseline: "10min",
  extend: "2min",
  traffic: { routes: ["/zqroute"] },
  errors: { action: "fail" },
  latency: { action: "warn", floor: "500ms" },
  memory: { action: "warn", over: "3min", within: "1h" },
  log: { action: "off" },
};
const COMMON = {
  version: 1,
  name: "zqsite",
  company: "Zq works",
  domain: "zq.plant.example",
  sessions: "redis",
  monitoring: true,
  odoo: { series: "19.0", users: 10, modules: ["mrp", "zqmodule"], database: "zqdatabase", language: "de_DE" },
  docker: { source: "docker", mirrors: ["http://zqmirror.example:5000"], pool: "10.201.0.0/16" },
  firewall: { ssh: ["192.0.2.0/24"], web: ["198.51.100.0/24"] },
  smoke: [
    { kind: "http", name: "zq page", path: "/zqpage", status: 200, contains: "zq contained" },
    { kind: "jsonrpc", name: "zq call", model: "zq.model", method: "search_count", args: [["zq argument"], { key: "zq value" }] },
  ],
  swap: { ready: "180s", drain: "60s", cron: "5min", bake: "60s", probe: "2s", canary: { percent: [10], stage: "60s" }, rules: RULES, preview: { for: "1h" } },
};
const KEEP = { at: "02:30", full: "sunday", drill: "monday", keep: 7 };
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFQzIIBPNDfkLRYS1pZ0zQ8eE3VdHjTCMYp4hTnq1yFi";

/** Between them they state every key of site.yaml that holds a text. Right values, and where it can be, such as stand nowhere else. */
const SITES: Readonly<Record<string, Json>> = {
  "ACME and S3": {
    ...COMMON,
    certificate: { kind: "acme", email: "zq@mail.example", directory: "https://zqacme.example/directory" },
    waivers: [{ rule: "host-path", service: "backup", reason: "Zq has its reasons." }],
    backup: {
      ...KEEP,
      offsite: { kind: "s3", endpoint: "zqs3.example:9000", bucket: "zqbucket", region: "zq-region-1", path: "/zqfolder", ca: "certificates/zqca.pem" },
    },
    environments: { production: { host: { ...HOST, jump: JUMP }, dataDisk: "/dev/zqdisk" } },
  },
  "certificate files, SFTP and a standby": {
    ...COMMON,
    certificate: { kind: "files", chain: "certificates/zqchain.pem", ca: "certificates/zqauthority.pem" },
    backup: { ...KEEP, offsite: { kind: "sftp", server: "zqnas.example:2222", user: "zquser", path: "/zqpath", hostKeys: [KEY] } },
    environments: {
      production: {
        host: HOST,
        standby: { address: "192.0.2.31", port: 22, admin: "zqother", deploy: "zqgiver", jump: JUMP, listen: "192.0.2.31", dataDisk: "/dev/zqsecond" },
      },
    },
  },
};

type Path = readonly (string | number)[];

function texts(value: Json, path: Path = []): readonly Path[] {
  if (typeof value === "string") return [path];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value as Readonly<Record<string, Json>>).flatMap(([key, below]) => texts(below, [...path, Array.isArray(value) ? Number(key) : key]));
}

/** The value with a text put in at a place. */
function withText(value: Json, [key, ...rest]: Path, text: string): Json {
  if (key === undefined) return text;
  if (Array.isArray(value)) return value.map((below: Json, index) => (index === key ? withText(below, rest, text) : below));
  const map = value as Readonly<Record<string, Json>>;
  return { ...map, [key]: withText(map[key] ?? null, rest, text) };
}

function textAt(value: Json, path: Path): string {
  return String(path.reduce<unknown>((below, key) => (below as Readonly<Record<string | number, unknown>>)[key], value));
}

/** Every text and key in a tree, changed. */
function changed(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((below) => changed(below, change));
  return Object.fromEntries(Object.entries(value).map(([key, below]) => [change(key), changed(below, change)]));
}

function stackOf(site: ReturnType<typeof parseSite>): Stack {
  if (site.kind === "bad") throw new Error("not a site");
  const environment = site.site.environments.get("production");
  if (environment === undefined) throw new Error("no production");
  return renderStack(exampleInput(environment));
}

/** What programs read of a stack: structured files as data, and of any other how many lines it has. Compose's own `$$` is the `$` that was typed. */
function read(stack: Stack): unknown {
  const files = stack.files.map(({ path, content }) => {
    if (path.endsWith("compose.yaml")) return [path, changed(parse(content), (text) => text.replaceAll("$$", () => "$"))];
    if (path.endsWith(".json")) return [path, JSON.parse(content)];
    if (/\.ya?ml$/.test(path)) return [path, parse(content)];
    return [path, content.split("\n").length];
  });
  return { facts: stack.facts, files };
}

const NASTY = [
  "\n",
  "\r\n",
  "'",
  '"',
  "`",
  "$",
  "$$",
  "${HOME}",
  "$(id)",
  "{{",
  "}}",
  "{{site.name}}",
  "{{{x}}}",
  "\\",
  "\\n",
  "#",
  " # ",
  ": ",
  "- ",
  "&a",
  "*a",
  "!!str",
  "<<: ",
  "%",
  "|",
  ">",
  "@",
  "\t",
  "\0",
  "é",
  "…",
  "\u202e",
  "; ",
  "&& ",
  "../",
  "--",
  "=",
  ",",
];

const nasty = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 1, arbitrary: fc.array(fc.constantFrom(...NASTY, "a", " "), { minLength: 2, maxLength: 6 }).map((parts) => parts.join("")) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }) },
);

/** A place as the schema has it: any environment, any member of a list. */
function keyOf(path: Path): string {
  return pathText(path)
    .replaceAll(/\[\d+\]/g, "[]")
    .replace(/^environments\.\w+\./, "environments.*.");
}

interface Schema {
  readonly $ref?: string;
  readonly type?: unknown;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** Every place in a JSON Schema where a text may stand. */
function keysOfTexts(root: object): readonly string[] {
  const walk = (schema: Schema, at: string, seen: readonly string[]): readonly string[] => {
    if (schema.$ref !== undefined) {
      if (seen.includes(schema.$ref)) return [];
      const keys = schema.$ref.slice(2).split("/");
      const meant = keys.reduce<unknown>((below, key) => (below as Readonly<Record<string, unknown>>)[key], root) as Schema;
      return walk(meant, at, [...seen, schema.$ref]);
    }
    return [
      ...(schema.type === "string" || typeof schema.const === "string" ? [at] : []),
      ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((one) => walk(one, at, seen)),
      ...Object.entries(schema.properties ?? {}).flatMap(([key, below]) => walk(below, at === "" ? key : `${at}.${key}`, seen)),
      ...(schema.items === undefined ? [] : walk(schema.items, `${at}[]`, seen)),
      ...(typeof schema.additionalProperties === "object" ? walk(schema.additionalProperties, `${at}.*`, seen) : []),
    ];
  };
  return [...new Set(walk(root, "", []))];
}

describe("every key of site.yaml that takes a text", () => {
  it("is stated in one of these sites", () => {
    const stated = new Set(
      Object.values(SITES)
        .flatMap((site) => texts(site))
        .map(keyOf),
    );
    // What may stand at the top may stand in an environment as well, by the same schema; the parts of an argument are any JSON.
    const isStated = (key: string): boolean => stated.has(key) || stated.has(key.replace("environments.*.", "")) || key.endsWith("smoke[].args[]");
    expect(keysOfTexts(siteJsonSchema()).filter((key) => !isStated(key))).toEqual([]);
  });

  const tried = new Set<string>();
  describe.each(Object.entries(SITES))("with %s", (_, site) => {
    const base = read(stackOf(parseSite(stringify(site), "/site")));
    const places = texts(site).map((path) => [pathText(path), path] as const);
    // A place that both sites have is tried once.
    const own = places.filter(([name]) => !tried.has(name));
    for (const [name] of own) tried.add(name);

    it.each(own)("brings what stands in %s to where it is used as typed, or refuses it by its place", (name, path) => {
      const original = textAt(site, path);
      const written = nasty.chain((text) =>
        fc.constantFrom(text, `${original}${text}`, `${text}${original}`, `${original.slice(0, 3)}${text}${original.slice(3)}`),
      );
      fc.assert(
        fc.property(written, (text) => {
          const parsed = parseSite(stringify(withText(site, path, text)), "/site");
          if (parsed.kind === "bad") {
            expect(parsed.problems.filter((problem) => problem.path !== "" && name.startsWith(problem.path))).not.toEqual([]);
            return;
          }
          // A plain value that says something else, such as another database, may change more than itself.
          if (/^[\w./:@-]*$/.test(text)) return;
          expect(read(stackOf(parsed))).toEqual(changed(base, (each) => each.replaceAll(original, () => text)));
        }),
        { numRuns: 20 },
      );
    });
  });
});
