import type { Json } from "../kernel/canonical.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { Environment } from "../site/environment.ts";
import { offsiteAuthority, offsitePlace } from "../site/offsite.ts";
import { certificateFiles } from "../site/site.ts";
import { type Blueprint, type Part, partBodySchema } from "./blueprint.ts";
import { asText, type ComposeDocument, escapeDollars, isMap, type JsonMap, NETWORKS, type NetworkName, servicesOf } from "./compose-document.ts";
import { harden } from "./harden.ts";
import { type ImageLock, lockedReference } from "./image-lock.ts";
import { holds, interpolate } from "./interpolate.ts";
import { validate } from "./load-blueprint.ts";
import { mergeOverride, type Override, readOverride } from "./merge-override.ts";
import { type Violation, judgeAll } from "./policy.ts";
import { type PemPurpose, renderFile } from "./render-file.ts";
import { COLOURS, type Stack, type StackFacts, type StackFile, stackFileSchema, stackFactsSchema, stackId } from "./stack.ts";
import { toYaml } from "./to-yaml.ts";
import { blueprintInvalid, type View } from "./template.ts";
import { buildView, derivedImagesOf } from "./view.ts";

export interface RenderInput {
  readonly environment: Environment;
  readonly blueprint: Blueprint;
  readonly lock: ImageLock;
  /** The environment's vault, armored age text: it travels with the stack, and only its recipients can open it. */
  readonly vault: string;
  /** Files of the site's `overrides/`, in the order they are laid over. */
  readonly overrides: readonly Override[];
  /** PEM files of the site by their path in it (see `certificateFiles`). */
  readonly certificates: Readonly<Record<string, string>>;
}

const HEAD = "# Rendered by millwright; changes made here are drift and go with the next deploy.\n";

/** Site and blueprint → stack. Pure, and deterministic to the byte: what did not change keeps its hash. */
export function renderStack(input: RenderInput): Stack {
  const view = buildView(input);
  const parts = input.blueprint.parts
    .filter((part) => part.head.when === undefined || holds(part.head.when, view, part.name))
    .map((part) => ({ part, body: validate(partBodySchema, interpolate(part.body, view, `parts/${part.name}/part.yaml`), `parts/${part.name}/part.yaml`) }));

  const platform = composePlatform(
    input,
    parts.map(({ part }) => part),
    view,
  );
  const documents: Record<string, ComposeDocument> = { platform: platform.document };
  for (const colour of COLOURS)
    documents[colour] = composeColour(
      input,
      parts.map(({ part }) => part),
      view,
      colour,
    );
  documents["recovery"] = composeRecovery(
    input,
    parts.map(({ part }) => part),
    view,
    servicesOf(platform.document),
  );

  const { standby, follows } = input.environment;
  // An override may have put an official image in the place of one.
  const derived = derivedImagesOf(input).filter(({ image }) => platform.images.includes(image));
  const names = derived.map(({ image }) => image);
  const verdict = judgeAll(Object.values(documents), input.environment.waivers, names);
  if (verdict.findings.length > 0) throw policyViolated(verdict.findings);

  const files: StackFile[] = Object.entries(documents).map(([name, document]) =>
    stackFile({ path: `${name}/compose.yaml`, content: toYaml(escapeDollars(document as JsonMap), HEAD) }),
  );
  for (const { part, body } of parts) {
    for (const entry of body.files) files.push(...renderFile(part, entry, view, certificateContents(input)));
  }
  files.push(stackFile({ path: "secrets.age", content: input.vault }));
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const twice = files.find((file, index) => files[index + 1]?.path === file.path);
  if (twice !== undefined) throw blueprintInvalid(twice.path, "two parts write this file");

  const facts = stackFactsSchema.parse({
    version: 1,
    stack: input.environment.stack,
    site: input.environment.site,
    environment: input.environment.name,
    blueprint: { name: input.blueprint.name, version: input.blueprint.version },
    domain: input.environment.domain,
    listen: input.environment.host.listen,
    series: input.environment.odoo.series,
    database: input.environment.odoo.database,
    modules: [...input.environment.odoo.modules],
    language: input.environment.odoo.language,
    workers: input.environment.sizing.workers,
    sessions: input.environment.sessions,
    releaseBase: lockedReference(input.lock, "odoo"),
    images: [...new Set([...platform.images.filter((image) => !names.includes(image)), ...derived.map(({ base }) => base)])].sort(),
    derived: derived.map(({ image, base, packages }) => ({ image, base, packages: [...packages] })),
    services: platform.order,
    ...(standby === undefined ? {} : { standby: standby.address }),
    ...(follows === undefined ? {} : { follows }),
    directories: parts.flatMap(({ body }) => body.directories),
    // What a standby has of them comes from the host that it follows.
    roles: follows === undefined ? parts.flatMap(({ body }) => body.roles) : [],
    secrets: [...new Set(parts.flatMap(({ body }) => body.secrets.map(({ name }) => name)))].sort(),
    smoke: structuredClone(input.environment.smoke) as StackFacts["smoke"],
    swap: structuredClone(input.environment.swap) as StackFacts["swap"],
    backup: backupFacts(input.environment),
    waived: [...verdict.waived],
  } satisfies StackFacts);
  checkSecrets(files, facts);
  return { version: 1, id: stackId(facts, files), facts, files };
}

function composePlatform(
  { environment, overrides }: RenderInput,
  parts: readonly Part[],
  view: View,
): { readonly document: ComposeDocument; readonly order: string[]; readonly images: string[] } {
  const services = overlay(hardenAll(parts, "platform", view, { "millwright.stack": environment.stack }), overrides, (name) => !isColourService(parts, name));
  // What only runs where a release serves is there already when a standby takes over: its images.
  const images = Object.values(services).map((service) => asText(isMap(service) ? service["image"] : undefined));
  const here = environment.follows === undefined ? services : onStandby(parts, services);
  const document = {
    name: environment.stack,
    services: here,
    networks: networksOf(here, (network) => ({ name: `${environment.stack}_${network}`, ...(NETWORKS[network].internal ? { internal: true } : {}) })),
  };
  // On a standby the database comes last: what it is made of is fetched through the network that the others bring.
  const order = Object.keys(here);
  return { document, order: environment.follows === undefined ? order : order.reverse(), images: [...new Set(images)].sort() };
}

function onStandby(parts: readonly Part[], services: JsonMap): JsonMap {
  const names = parts.filter(({ head }) => head.onStandby).flatMap(({ platform }) => servicesOf((platform ?? {}) as JsonMap).map(([name]) => name));
  return Object.fromEntries(Object.entries(services).filter(([name]) => names.includes(name)));
}

function composeColour({ environment, overrides }: RenderInput, parts: readonly Part[], view: View, colour: string): ComposeDocument {
  const labels = { "millwright.stack": environment.stack, "millwright.colour": colour };
  const services = overlay(hardenAll(parts, "colour", { ...view, colour }, labels), overrides, (name) => isColourService(parts, name));
  return {
    name: `${environment.stack}-${colour}`,
    services,
    // Made by the platform's project: a colour comes and goes without them.
    networks: networksOf(services, (network) => ({ name: `${environment.stack}_${network}`, external: true })),
  };
}

/**
 * The scratch place has no network, so nothing of it can reach the plant or be reached; save the database while it fetches what it is restored
 * from out of the offsite repository. A service with the name of one of the platform's has its
 * image, also an override's: a database is restored by the version that wrote it.
 */
function composeRecovery({ environment }: RenderInput, parts: readonly Part[], view: View, platform: ReturnType<typeof servicesOf>): ComposeDocument {
  const hardened = Object.entries(hardenAll(parts, "recovery", view, { "millwright.stack": environment.stack }));
  const images = new Map(platform.map(([name, service]) => [name, service["image"]]));
  const services = hardened.map(([name, service]): readonly [string, Json] => {
    const image = images.get(name.replace(/-offsite$/, ""));
    return [name, isMap(service) && image !== undefined ? { ...service, image } : service];
  });
  const document = { name: `${environment.stack}-recovery`, services: Object.fromEntries(services) };
  const networks = networksOf(document.services, (network) => ({ name: `${environment.stack}_${network}`, external: true }));
  return Object.keys(networks).length === 0 ? document : { ...document, networks };
}

function backupFacts({ backup }: Environment): StackFacts["backup"] {
  const { at, full, drill, keepDays, offsite } = backup;
  return {
    at,
    full,
    keepDays,
    ...(drill === undefined ? {} : { drill }),
    ...(offsite === undefined ? {} : { offsite: { place: offsitePlace(offsite), keepDays: offsite.keepDays } }),
  };
}

const FRAGMENTS = { platform: "compose.yaml", colour: "colour.yaml", recovery: "recovery.yaml" } as const;

function hardenAll(parts: readonly Part[], which: keyof typeof FRAGMENTS, view: View, labels: Readonly<Record<string, string>>): JsonMap {
  const services: Record<string, Json> = {};
  for (const part of parts) {
    const fragment = part[which];
    if (fragment === undefined) continue;
    const where = `parts/${part.name}/${FRAGMENTS[which]}`;
    for (const [name, service] of servicesOf(interpolate(fragment, view, where) as JsonMap)) {
      if (Object.hasOwn(services, name)) throw blueprintInvalid(where, `the service "${name}" is there twice`);
      services[name] = harden(name, service, labels);
    }
  }
  return services;
}

/** Which project an override's service belongs to follows from its name: those of a colour are known, all others are the platform's. */
function isColourService(parts: readonly Part[], name: string): boolean {
  return parts.some((part) => isMap(part.colour) && isMap(part.colour["services"]) && Object.hasOwn(part.colour["services"], name));
}

function overlay(services: JsonMap, overrides: readonly Override[], isOurs: (name: string) => boolean): JsonMap {
  let result: JsonMap = services;
  for (const override of overrides) {
    const ours = Object.fromEntries(Object.entries(readOverride(override)).filter(([name]) => isOurs(name)));
    const merged = mergeOverride(result, ours);
    result = isMap(merged) ? merged : {};
  }
  return result;
}

function networksOf(services: JsonMap, define: (network: NetworkName) => JsonMap): JsonMap {
  const used = new Set(Object.values(services).flatMap((service) => (isMap(service) && isMap(service["networks"]) ? Object.keys(service["networks"]) : [])));
  return Object.fromEntries((Object.keys(NETWORKS) as NetworkName[]).filter((network) => used.has(network)).map((network) => [network, define(network)]));
}

/** PEM texts by what they are for. */
function certificateContents({ environment, certificates }: RenderInput): Readonly<Partial<Record<PemPurpose, string>>> {
  const names = { ...certificateFiles(environment), offsite: offsiteAuthority(environment) };
  const read = (file: string): string => {
    const content = Object.hasOwn(certificates, file) ? certificates[file] : undefined;
    if (content === undefined) {
      throw new MillwrightError("SITE_INVALID", `The certificate file ${file} is missing.`, {
        subject: file,
        hint: "Put the PEM file there, or choose certificate.kind ca.",
      });
    }
    return content;
  };
  const found = Object.entries(names).flatMap(([purpose, file]) => (file === undefined ? [] : [[purpose, read(file)] as const]));
  return Object.fromEntries(found);
}

/** Every reference has a name the vault must hold, and only files that are written 0400 on the host have references. */
function checkSecrets(files: readonly StackFile[], facts: StackFacts): void {
  for (const file of files) {
    const names = [...file.content.matchAll(/<<secret ([^>]*)>>/g)].map((match) => match[1] ?? "");
    if (names.length > 0 && !file.secret) throw blueprintInvalid(file.path, "it refers to a secret but is not marked as secret");
    const unknown = names.find((name) => !facts.secrets.includes(name));
    if (unknown !== undefined) throw blueprintInvalid(file.path, `it refers to the secret "${unknown}", which no part lists`);
  }
  for (const role of facts.roles)
    if (!facts.secrets.includes(role.secret)) throw blueprintInvalid("roles", `the role ${role.name} has a secret that no part lists`);
}

function stackFile(file: { readonly path: string; readonly content: string }): StackFile {
  return stackFileSchema.parse(file);
}

function policyViolated(findings: readonly Violation[]): MillwrightError {
  const first = findings[0];
  return new MillwrightError(
    "POLICY_VIOLATED",
    `The services break ${findings.length === 1 ? "a hardening rule" : `hardening rules in ${findings.length} places`}.`,
    {
      ...(first === undefined ? {} : { subject: first.service }),
      hint: "Change the override, or add a waiver with rule, service and reason to site.yaml.",
      details: findings.map((finding) => `${finding.rule}: ${[finding.service, finding.path].filter(Boolean).join(" ")}: ${finding.message}`),
    },
  );
}
