import { posix } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { type HostPaths, hostPaths } from "../blueprint/host-paths.ts";
import { type Stack, stackId, stackSchema } from "../blueprint/stack.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { storeStack } from "./stack-store.ts";

/** What the host's policy says against a stack. */
export interface StackFinding {
  readonly rule: string;
  readonly service: string;
  readonly message: string;
}

export type JudgeStack = (stack: Stack) => readonly StackFinding[];

const REQUIRED = ["platform/compose.yaml", "blue/compose.yaml", "green/compose.yaml", "edge/routes.json", "secrets.age"] as const;
const ROLE = /^[a-z][a-z0-9_]{0,62}$/;

/** Takes a stack in from outside: what the sender says is not trusted. Verified, judged by the host's own policy, then stored. */
export async function acceptStack(options: { readonly paths: HostPaths; readonly name: string; readonly judge: JudgeStack }, input: unknown): Promise<Stack> {
  const stack = verifyStack(input, options.name);
  const findings = options.judge(stack);
  if (findings.length > 0) {
    const details = findings.map((finding) => `${finding.service}: ${finding.message} (${finding.rule})`);
    const hint = "Mend the overrides, or waive the rule with a reason in site.yaml.";
    throw new MillwrightError("STACK_REFUSED", `The host's policy refuses the stack on ${findings.length} ${findings.length === 1 ? "count" : "counts"}.`, { subject: options.name, hint, details });
  }
  await storeStack(options.paths, stack);
  return stack;
}

/** Throws STACK_INVALID with everything that is wrong. */
export function verifyStack(input: unknown, name: string): Stack {
  const parsed = stackSchema.safeParse(input);
  if (!parsed.success) throw invalid(name, z.prettifyError(parsed.error).split("\n"));
  const stack = parsed.data;
  const wrong = [...wrongIdentity(stack, name), ...wrongPaths(stack), ...wrongFacts(stack)];
  if (wrong.length > 0) throw invalid(name, wrong);
  return stack;
}

function invalid(subject: string, details: readonly string[]): MillwrightError {
  return new MillwrightError("STACK_INVALID", `The stack cannot be deployed: ${details[0] ?? "unknown"}`, { subject, details, hint: "Run `millwright check`." });
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
  const { base, data } = hostPaths(stack.facts.stack);
  for (const { path } of stack.facts.directories) {
    const full = posix.resolve(base, path);
    if (full !== data && !full.startsWith(`${data}/`) && !full.startsWith(`${base}/traffic`)) wrong.push(`directory ${path} is outside ${data}`);
  }
  return wrong;
}

function wrongFacts(stack: Stack): string[] {
  const wrong: string[] = [];
  const defined = servicesOf(stack);
  for (const service of stack.facts.services) if (!defined.includes(service)) wrong.push(`platform/compose.yaml has no service ${service}`);
  for (const service of defined) if (!stack.facts.services.includes(service)) wrong.push(`service ${service} has no place in the order of services`);
  for (const role of stack.facts.roles) if (!ROLE.test(role.name)) wrong.push(`"${role.name}" is not a role name`);
  if (stack.facts.roles.length > 0 && !defined.includes("database")) wrong.push("it has PostgreSQL roles and no service database");
  if (stack.facts.roles.filter((role) => role.purpose === "owner").length > 1) wrong.push("it has two owner roles");
  return wrong;
}

function servicesOf(stack: Stack): readonly string[] {
  const text = stack.files.find((file) => file.path === "platform/compose.yaml")?.content ?? "";
  const document = parseDocument(text);
  if (document.errors.length > 0) return [];
  const data: unknown = document.toJS();
  const services = typeof data === "object" && data !== null && "services" in data ? data.services : undefined;
  return typeof services === "object" && services !== null ? Object.keys(services) : [];
}
