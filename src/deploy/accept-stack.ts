import { posix } from "node:path";
import * as z from "zod";
import { isList, isMap, type JsonMap, servicesOf } from "../blueprint/compose-document.ts";
import { type HostPaths, hostPaths } from "../blueprint/host-paths.ts";
import { judge } from "../blueprint/policy.ts";
import { derivedOf, RELEASE_IMAGE, type Stack, stackId, stackSchema } from "../blueprint/stack.ts";
import type { Json } from "../kernel/canonical.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { isTrulyNamed } from "../release/derived-name.ts";
import type { Waiver } from "../site/environment.ts";
import { readCompose } from "./materialise.ts";
import { storeStack } from "./stack-store.ts";

const COMPOSE_FILES = ["platform/compose.yaml", "blue/compose.yaml", "green/compose.yaml", "recovery/compose.yaml"] as const;
const REQUIRED = [...COMPOSE_FILES, "edge/routes.json", "secrets.age"] as const;
const ROLE = /^[a-z][a-z0-9_]{0,62}$/;
/** Compose allows more, also what `docker compose up` would take for an option. */
const SERVICE = /^[a-z][a-z0-9_-]{0,62}$/;

/** Takes a stack in from outside: what the sender says is not trusted. Verified, judged by the host's own policy and waivers, then stored. */
export async function acceptStack(paths: HostPaths, name: string, input: unknown, waivers: readonly Waiver[]): Promise<Stack> {
  const stack = verifyStack(input, name);
  const findings = judge(
    COMPOSE_FILES.map((path) => readCompose(stack, path)),
    waivers,
    derivedOf(stack).map(({ image }) => image),
  );
  if (findings.length > 0) {
    const details = findings.map(({ service, path, message, rule }) => `${service} ${path}: ${message} (${rule})`);
    const isWaivedBySender = findings.every(({ rule, service }) => stack.facts.waived.some((waiver) => waiver.rule === rule && waiver.service === service));
    const hint = isWaivedBySender
      ? "The host takes waivers from its administrator only: run `millwright host bootstrap`, then deploy again."
      : "Mend the overrides, or waive the rule with a reason in site.yaml.";
    throw new MillwrightError("STACK_REFUSED", `The host's policy refuses the stack on ${findings.length} ${findings.length === 1 ? "count" : "counts"}.`, {
      subject: name,
      hint,
      details,
    });
  }
  await storeStack(paths, stack);
  return stack;
}

/** Throws STACK_INVALID with everything that is wrong. */
export function verifyStack(input: unknown, name: string): Stack {
  const parsed = stackSchema.safeParse(input);
  if (!parsed.success) throw invalid(name, z.prettifyError(parsed.error).split("\n"));
  const stack = parsed.data;
  const wrong = [...wrongIdentity(stack, name), ...wrongPaths(stack)];
  if (wrong.length > 0) throw invalid(name, wrong);
  const unfit = [...wrongFacts(stack), ...wrongDerived(stack), ...wrongNames(stack), ...wrongSources(stack), ...wrongVariables(stack)];
  if (unfit.length > 0) throw invalid(name, unfit);
  return stack;
}

function invalid(subject: string, details: readonly string[]): MillwrightError {
  return new MillwrightError("STACK_INVALID", `The stack cannot be deployed: ${details[0] ?? "unknown"}`, {
    subject,
    details,
    hint: "Run `millwright check`.",
  });
}

function wrongIdentity(stack: Stack, name: string): string[] {
  const wrong: string[] = [];
  if (stack.facts.stack !== name) wrong.push(`it is for ${stack.facts.stack}, not for ${name}`);
  if (stack.facts.stack !== `${stack.facts.site}-${stack.facts.environment}`) wrong.push("its name is not <site>-<environment>");
  if (stackId(stack.facts, stack.files) !== stack.id) wrong.push("its id is not the hash of its content");
  return wrong;
}

function wrongPaths(stack: Stack): string[] {
  const wrong: string[] = [];
  const paths = stack.files.map((file) => file.path);
  const known = new Set(paths);
  for (const path of REQUIRED) if (!known.has(path)) wrong.push(`it lacks ${path}`);
  if (known.size !== paths.length) wrong.push("it holds a path twice");
  for (const path of known) {
    for (let folder = posix.dirname(path); folder !== "."; folder = posix.dirname(folder)) {
      if (known.has(folder)) wrong.push(`${folder} is both a file and a folder`);
    }
  }
  // One level and no deeper: inside a folder that a container writes to, a symbolic link of its own could lead the agent anywhere.
  const { base, data, backup, metrics } = hostPaths(stack.facts.stack);
  for (const { path, uid, mode } of stack.facts.directories) {
    const full = posix.resolve(base, path);
    const isAgents = full === metrics || full === `${base}/traffic` || full.startsWith(`${base}/traffic/`);
    if (isAgents && (uid !== 0 || (Number.parseInt(mode, 8) & 0o022) !== 0)) wrong.push(`directory ${path}, which the agent writes to, is not root's alone`);
    // `data/x/link/../y` reads as `data/y`, but for the kernel begins where the link leads.
    const isPlain = posix.normalize(path) === path;
    if (!isPlain || (full !== `${base}/traffic` && ![data, backup, `${base}/traffic`].includes(posix.dirname(full))))
      wrong.push(`directory ${path} is not one right below ${data}, ${backup} or ${base}/traffic`);
  }
  return wrong;
}

function wrongFacts(stack: Stack): string[] {
  const wrong: string[] = [];
  const defined = servicesOf(readCompose(stack, "platform/compose.yaml")).map(([name]) => name);
  for (const service of stack.facts.services) if (!defined.includes(service)) wrong.push(`platform/compose.yaml has no service ${service}`);
  for (const service of defined) if (!stack.facts.services.includes(service)) wrong.push(`service ${service} has no place in the order of services`);
  for (const role of stack.facts.roles) if (!ROLE.test(role.name)) wrong.push(`"${role.name}" is not a role name`);
  if (stack.facts.roles.length > 0 && !defined.includes("database")) wrong.push("it has PostgreSQL roles and no service database");
  if (stack.facts.roles.filter((role) => role.purpose === "owner").length > 1) wrong.push("it has two owner roles");
  return wrong;
}

/** A name that did not say all that its image is made of could be any image's. */
function wrongDerived(stack: Stack): string[] {
  return derivedOf(stack).flatMap((derived) => [
    ...(isTrulyNamed(derived) ? [] : [`${derived.image} is not what this host calls ${derived.base} with ${derived.packages.join(" and ")}`]),
    ...(stack.facts.images.includes(derived.base) ? [] : [`${derived.base}, which ${derived.image} is made of, is not among its images`]),
  ]);
}

/** Services whose names are none, and networks that are not this stack's. */
function wrongNames(stack: Stack): string[] {
  return COMPOSE_FILES.flatMap((path) => {
    const document = readCompose(stack, path);
    const services = servicesOf(document).filter(([name]) => !SERVICE.test(name));
    const networks = Object.entries(isMap(document.networks) ? document.networks : {}).filter(
      ([key, network]) => !isMap(network) || network["name"] !== `${stack.facts.stack}_${key}`,
    );
    return [
      ...services.map(([name]) => `${path}: "${name}" is not a name of a service`),
      ...networks.map(([key]) => `${path}: the network ${key} is not this stack's`),
    ];
  });
}

/** Compose would fill in variables after the policy has judged the text: `data/${X-..}` is no folder of the stack's. */
function wrongVariables(stack: Stack): string[] {
  const hasVariable = (value: Json | undefined): boolean => {
    if (typeof value === "string") return value !== RELEASE_IMAGE && value.replaceAll("$$", "").includes("$");
    if (isList(value)) return value.some(hasVariable);
    return isMap(value) && Object.values(value).some(hasVariable);
  };
  return COMPOSE_FILES.flatMap((path) => (hasVariable(readCompose(stack, path) as JsonMap) ? [`${path} holds a variable of Compose's`] : []));
}

/** A stack mounts nothing of another stack's: with two on a host, one site's deployer must not reach the other's data. */
function wrongSources(stack: Stack): string[] {
  const own = `${hostPaths(stack.facts.stack).base}/`;
  return COMPOSE_FILES.flatMap((path) =>
    servicesOf(readCompose(stack, path)).flatMap(([service, { volumes }]) =>
      (isList(volumes) ? volumes : [])
        .map((volume) => (isMap(volume) ? volume["source"] : volume))
        .map((source) => (typeof source === "string" ? (source.split(":")[0] ?? "") : ""))
        .filter((source) => source.startsWith("/srv/millwright/") && !posix.normalize(source).startsWith(own))
        .map((source) => `${service} in ${path} mounts ${source}, which is not this stack's`),
    ),
  );
}
