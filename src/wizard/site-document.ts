import { Document, isMap, isPair, isScalar } from "yaml";
import { MillwrightError } from "../kernel/errors.ts";
import { siteJsonSchema, type JsonSchema } from "../site/site-json-schema.ts";
import { SITE_DEFAULTS } from "../site/site-defaults.ts";
import type { Answers } from "./answers.ts";

/** Paths in the site folder that site.yaml names. */
export const OPERATORS_CHAIN = "certificates/production.pem";

/**
 * Answers → the text of site.yaml. It is built as data and written by the YAML library, so no answer can break it or add a key; each key's
 * comment is the schema's own description.
 */
export function siteDocument(answers: Answers): string {
  const document = new Document(siteData(answers), { aliasDuplicateObjects: false, compat: "yaml-1.1" });
  explain(document.contents, siteJsonSchema(), 0, new Set());
  document.commentBefore = " yaml-language-server: $schema=.millwright/site.schema.json";
  return document.toString({ lineWidth: 0 });
}

function siteData(answers: Answers): Record<string, unknown> {
  const mirrors = answers.mirror === "" ? {} : { docker: { mirrors: [answers.mirror] } };
  return {
    version: 1,
    name: answers.name,
    company: answers.company,
    domain: answers.domain,
    certificate: certificateData(answers),
    odoo: { series: answers.series, users: answers.users, modules: answers.modules },
    sessions: answers.sessions,
    ...mirrors,
    backup: SITE_DEFAULTS.backup,
    monitoring: SITE_DEFAULTS.monitoring,
    environments: {
      production: { host: hostData(answers, answers.address), ...(answers.dataDisk === "" ? {} : { dataDisk: answers.dataDisk }) },
      ...(answers.staging ? { staging: stagingData(answers) } : {}),
    },
  };
}

function certificateData(answers: Answers): Record<string, unknown> {
  switch (answers.certificate) {
    case "ca":
      return { kind: "ca" };
    case "acme":
      return { kind: "acme", email: needed(answers.acmeEmail, "acmeEmail") };
    case "files":
      return { kind: "files", chain: OPERATORS_CHAIN };
  }
}

function stagingData(answers: Answers): Record<string, unknown> {
  return {
    domain: needed(answers.stagingDomain, "stagingDomain"),
    // The operator's certificate is for production's name.
    ...(answers.certificate === "files" ? { certificate: { kind: "ca" } } : {}),
    host: hostData(answers, needed(answers.stagingAddress, "stagingAddress")),
  };
}

function hostData(answers: Answers, address: string): Record<string, unknown> {
  const { admin, memory, cpus, port } = answers;
  const [, user, jumpAddress, jumpPort] = /^([^@]+)@([^:]+)(?::(\d+))?$/.exec(answers.jump) ?? [];
  const jump = user === undefined ? {} : { jump: { address: jumpAddress, ...(jumpPort === undefined ? {} : { port: Number(jumpPort) }), user } };
  return { address, ...(port === SITE_DEFAULTS.host.port ? {} : { port }), admin, ...jump, memory, cpus };
}

/** Puts the schema's description above every key that has one; what was explained before is not again. */
function explain(node: unknown, schema: JsonSchema, depth: number, told: Set<string>): void {
  if (!isMap(node)) return;
  for (const pair of node.items) {
    if (!isPair(pair) || !isScalar(pair.key)) continue;
    const key = String(pair.key.value);
    const inner = schemaOf(schema, key);
    if (inner === undefined) continue;
    const description = inner["description"];
    if (typeof description === "string" && !told.has(description)) {
      pair.key.commentBefore = ` ${description}`;
      told.add(description);
    }
    pair.key.spaceBefore = depth === 0 && key !== "version";
    explain(pair.value, inner, depth + 1, told);
  }
}

function schemaOf(schema: JsonSchema, key: string): JsonSchema | undefined {
  for (const variant of [schema, ...(schema.oneOf ?? [])]) {
    const inner = variant.properties?.[key];
    if (inner !== undefined) return inner;
  }
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

function needed(value: string | undefined, key: string): string {
  if (value === undefined) throw new MillwrightError("INTERNAL", `The wizard ended without "${key}".`);
  return value;
}
