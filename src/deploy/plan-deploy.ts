import type { Stack } from "../blueprint/stack.ts";
import { hashOf, sha256 } from "../kernel/canonical.ts";
import type { Plan, Step } from "../kernel/plan.ts";
import { countOf } from "../kernel/count-of.ts";
import { type Change, findChanges, nameOf } from "./find-changes.ts";
import type { Materialised } from "./materialise.ts";
import { basisOf, type Observed } from "./observe-platform.ts";
import { certificateSteps, type PlannedStep, settingsStep } from "./plan-reloads.ts";
import { MADE_ANEW, seedStep } from "./seed-step.ts";

export interface DeployInput {
  readonly stack: Stack;
  readonly desired: Materialised;
  readonly observed: Observed;
  /** `provisionId` of the stack. */
  readonly provision: string;
  /** Instant in ISO 8601, part of the plan's id. */
  readonly at: string;
  /** A standby's database is made anew, whatever is there. */
  readonly rebuild?: boolean;
}

/** The service whose container PostgreSQL roles are set up in. */
export const DATABASE_SERVICE = "database";

/** The proxy, the one service with published ports. */
export const EDGE_SERVICE = "edge";

/**
 * What has to be done so that the host's platform is the stack's, and nothing else; an empty plan when there is nothing. The first step
 * carries the decision: a deploy that was cut off goes forward, since every later step may be done again. Pure.
 */
export function planDeploy(input: DeployInput): Plan {
  const { stack, desired, observed } = input;
  const changes = findChanges(desired, observed, stack.facts.services);
  const changed = new Map(changes.map((change) => [change.service, change]));
  const work: PlannedStep[] = [];

  for (const reference of observed.missingImages) {
    work.push({ id: `pull:${nameOf(reference)}`, kind: "pull", title: `Pull ${nameOf(reference)}`, cause: "not on the host", params: { reference } });
  }
  for (const { image, base, packages } of observed.missingDerived) {
    const title = `Put ${packages.join(" and ")} into ${nameOf(base)}`;
    work.push({ id: `derive:${image}`, kind: "derive", title, cause: "not on the host", params: { image } });
  }
  if (observed.missingDirectories.length > 0) {
    work.push({ id: "directories", kind: "directories", title: `Make ${countOf(observed.missingDirectories.length, "data folder")}`, cause: "missing" });
  }
  const filesCause = causeOfFiles(input);
  if (filesCause !== undefined) {
    work.push({ id: "files", kind: "files", title: "Write configuration and compose.yaml", cause: filesCause, undo: "put the previous compose.yaml back" });
  }
  const certificate = certificateSteps(input, changed.has(EDGE_SERVICE));
  work.push(...certificate.first);
  const routesCause = causeOfRoutes(input);
  if (routesCause !== undefined) {
    work.push({ id: "routes", kind: "routes", title: "Renew the proxy's routes", cause: routesCause, undo: "put the previous routes back" });
  }
  work.push(...settingsStep(input));
  const held = stack.facts.services.filter((service) => isHeldFor(changed.get(service), input));
  for (const service of stack.facts.services) {
    const seed = service === DATABASE_SERVICE ? seedStep(stack.facts.follows, observed.database, input.rebuild === true) : undefined;
    if (seed !== undefined) work.push(seed);
    const change = changed.get(service) ?? (seed === undefined ? undefined : MADE_ANEW);
    if (service === held[0]) work.push(holdStep(held));
    if (change !== undefined) work.push(...(needsStandIn(change, input) ? withStandIn(upStep(change)) : [upStep(change)]));
    if (service === EDGE_SERVICE) work.push(...certificate.afterProxy);
    const provisionCause = service === DATABASE_SERVICE ? causeOfProvision(input, change !== undefined) : undefined;
    if (provisionCause !== undefined) {
      work.push({
        id: "provision",
        kind: "provision",
        title: "Set up database, roles, passwords and the archive of its log",
        cause: provisionCause,
        undo: "set the previous passwords",
      });
    }
    if (service === held.at(-1)) work.push(LET_IN);
  }
  // A host that has become a standby has no proxy any more.
  if (!stack.facts.services.includes(EDGE_SERVICE)) work.push(...certificate.afterProxy);
  for (const service of removedServices(input)) {
    work.push({
      id: `remove:${service}`,
      kind: "remove",
      title: `Remove ${service}`,
      cause: "no longer in the stack",
      undo: `bring ${service} back`,
      params: { service },
    });
  }

  const steps: PlannedStep[] = [];
  if (work.length > 0)
    steps.push(
      { id: "keep", kind: "keep", title: "Keep the present configuration", cause: "a failure goes back to it", undo: "note what was put back" },
      ...work,
    );
  const recordCause = work.length > 0 ? "the next deploy compares with it" : causeOfRecord(input);
  if (recordCause !== undefined) {
    steps.push({ id: "record", kind: "record", title: `Record stack ${stack.id}`, cause: recordCause, undo: "record the previous stack" });
    steps.push({ id: "tidy", kind: "tidy", title: "Remove old stacks, unused files and images", cause: "the last few are kept", failure: "report" });
  }
  const full = steps.map((step, index): Step => ({ failure: "undo", params: {}, ...step, ...(index === 0 ? { decision: true } : {}) }));
  return {
    version: 1,
    id: `${input.at.replace(/[^0-9]/g, "").slice(0, 14)}-deploy-${hashOf({ stack: stack.id, full, at: input.at }).slice(0, 6)}`,
    stack: stack.facts.stack,
    kind: "deploy",
    purpose: full.length === 0 ? `Nothing to do: stack ${stack.id} is what runs.` : `Bring the platform to stack ${stack.id}.`,
    basis: basisOf(observed),
    steps: full,
    context: { stack: stack.id, ...(observed.current === undefined ? {} : { previous: observed.current }) },
  };
}

function upStep(change: Change): PlannedStep {
  const { service, cause, container, before, isForced } = change;
  const isNew = before === "absent";
  return {
    id: `up:${service}`,
    kind: "up",
    title: `${isNew ? "Start" : "Renew"} ${service}`,
    cause,
    undo: isNew ? `remove ${service}` : `put the previous ${service} back`,
    params: { service, container, before, isForced },
  };
}

/**
 * Renewing the proxy would refuse users for about a second. Not needed while nobody uses it; not possible where connections do not come
 * through the kernel's translation of addresses (IPv6, and the machine itself).
 */
function needsStandIn(change: Change, { desired, observed }: DeployInput): boolean {
  const ports = desired.services[EDGE_SERVICE]?.ports ?? [];
  return (
    change.service === EDGE_SERVICE &&
    change.before === "healthy" &&
    isServing(observed) &&
    ports.every(({ address }) => !address.includes(":") && !address.startsWith("127."))
  );
}

/** Services that Odoo cannot answer without. While one of them is renewed, users wait some seconds instead of seeing errors. */
const NEEDED_BY_ODOO = [DATABASE_SERVICE, "cache"];

function isHeldFor(change: Change | undefined, { observed }: DeployInput): boolean {
  return change !== undefined && NEEDED_BY_ODOO.includes(change.service) && change.before !== "absent" && isServing(observed);
}

function isServing(observed: Observed): boolean {
  return observed.hasTraffic && observed.colours.some((container) => container.service === "web" && container.state === "running");
}

function holdStep(services: readonly string[]): PlannedStep {
  return {
    id: "hold",
    kind: "hold",
    title: "Let users wait",
    cause: `Odoo cannot answer while ${services.join(" and ")} ${services.length === 1 ? "is" : "are"} renewed`,
    undo: "let them go on",
  };
}

const LET_IN: PlannedStep = {
  id: "let-in",
  kind: "let-in",
  title: "Let users go on",
  cause: "what it needs is there again",
  undo: "let them wait again",
};

function withStandIn(up: PlannedStep): readonly PlannedStep[] {
  return [
    {
      id: "stand-in",
      kind: "stand-in",
      title: "Start the new proxy beside the one that serves, and probe it",
      cause: "a bad one must not meet users",
      undo: "remove it",
    },
    {
      id: "lead-away",
      kind: "lead-away",
      title: "Lead new connections to it",
      cause: "nobody is refused while the proxy is renewed",
      undo: "lead them to the proxy",
    },
    up,
    {
      id: "lead-back",
      kind: "lead-back",
      title: "Lead new connections back, and end the stand-in with its last",
      cause: "the proxy is renewed",
      undo: "lead new connections to the stand-in again",
    },
  ];
}

function causeOfFiles({ desired, observed }: DeployInput): string | undefined {
  if (observed.composeHash !== sha256(desired.compose)) {
    if (observed.composeHash === undefined) return "none yet";
    return observed.recorded !== undefined && observed.recorded.compose !== observed.composeHash ? "changed by hand on the host" : "the stack changed";
  }
  if (observed.alteredFiles.length > 0) return "changed by hand on the host";
  return observed.missingFiles.length > 0 ? `${countOf(observed.missingFiles.length, "file")} missing` : undefined;
}

/** Hash of the stack's own part of the routes. */
export function routesId(stack: Stack): string {
  return sha256(stack.files.find((file) => file.path === "edge/routes.json")?.content ?? "");
}

function causeOfRoutes({ stack, observed }: DeployInput): string | undefined {
  if (!observed.hasTraffic) return "none yet";
  return observed.recorded?.routes === routesId(stack) ? undefined : "edge/routes.json changed";
}

function causeOfProvision({ stack, observed, provision }: DeployInput, isDatabaseRenewed: boolean): string | undefined {
  if (stack.facts.roles.length === 0) return undefined;
  if (observed.recorded === undefined || observed.recorded.provision === "") return "first time";
  if (observed.recorded.provision !== provision) return "roles or passwords changed";
  return isDatabaseRenewed ? "database renewed" : undefined;
}

/** Services that are ours and that the stack does not have any more. What is of other hands is only shown as drift. */
function removedServices({ desired, observed }: DeployInput): readonly string[] {
  return observed.platform
    .filter((container) => desired.services[container.service] === undefined)
    .filter((container) => container.config !== "" || observed.recorded?.services[container.service] !== undefined)
    .map((container) => container.service);
}

/** Why the record has to be renewed although nothing on the platform changes. */
function causeOfRecord({ stack, desired, observed }: DeployInput): string | undefined {
  const { recorded } = observed;
  if (recorded === undefined) return "none yet";
  if (observed.current !== stack.id || recorded.stack !== stack.id) return "only what the colours or the checks use has changed";
  const recreated = Object.keys(desired.services).find((service) => {
    const now = observed.platform.find((container) => container.service === service);
    return now?.container !== recorded.services[service]?.container;
  });
  return recreated === undefined ? undefined : `${recreated} was recreated by hand with the same definition`;
}
