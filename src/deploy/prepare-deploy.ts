import * as z from "zod";
import { COLOURS, type Colour, type Stack } from "../blueprint/stack.ts";
import { timestamp } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { Plan } from "../kernel/plan.ts";
import { acceptStack } from "./accept-stack.ts";
import { materialisePlatform, secretsOf } from "./deploy-context.ts";
import type { DeployDeps } from "./deploy-deps.ts";
import { deployNotes } from "./deploy-notes.ts";
import { type Drift, findDrift } from "./find-drift.ts";
import { type Materialised, materialise } from "./materialise.ts";
import { requireSpace } from "./needed-space.ts";
import { basisOf, type Observed, observePlatform } from "./observe-platform.ts";
import { planDeploy } from "./plan-deploy.ts";
import { fillSecrets, type SecretValues } from "../secrets/fill-secrets.ts";
import { provisionId } from "./provision-sql.ts";
import { currentStack, readStack } from "./stack-store.ts";

/** The payload of the verb `plan`: the stack, the sender's clock, and whether a standby is to be made anew. */
export const deployPayloadSchema = z.strictObject({ stack: z.unknown(), now: z.iso.datetime(), rebuild: z.literal(true).optional() });

export interface PreparedDeploy {
  readonly plan: Plan;
  readonly drift: readonly Drift[];
  readonly notes: readonly string[];
  /** Running containers of releases, such as `blue web`, whose settings are not those of this stack: a swap brings them. */
  readonly outdated: readonly string[];
}

const CLOCK_LIMIT_SECONDS = 60;

/** Takes a stack in and says what deploying it would do. Changes nothing but `stacks/`. */
export async function prepareDeploy(deps: DeployDeps, payload: unknown): Promise<PreparedDeploy> {
  const { stack: sent, now, rebuild = false } = parsePayload(payload);
  requireClock(deps, now);
  const stack = await acceptStack(deps.paths, deps.stack, sent, await deps.acceptedWaivers());
  const secrets = await secretsOf(deps, stack);
  requireSecrets(stack, secrets);
  const desired = materialisePlatform(deps, stack, secrets);
  const observed = await observePlatform(deps, stack, desired);
  requirePorts(observed);
  requireRole(stack, observed, rebuild);
  const plan = planDeploy({ stack, desired, observed, provision: provisionId(stack.facts, secrets), at: timestamp(deps.clock), rebuild });
  if (plan.steps.length > 0) requireSpace(observed);
  const outdated = outdatedColours(observed, materialiseRunning(deps, stack, secrets, observed));
  return { plan, drift: findDrift(observed, desired), notes: deployNotes(stack, plan, observed), outdated };
}

/** The basis of a plan as the host is now: a plan with another one is stale. */
export async function deployBasis(deps: DeployDeps, plan: Plan): Promise<string> {
  const stack = await readStack(deps.paths, z.object({ stack: z.string() }).parse(plan.context).stack);
  return basisOf((await look(deps, stack)).observed);
}

/** Drift of the host from its current stack; none when nothing was deployed yet. */
export async function observeDrift(deps: DeployDeps): Promise<readonly Drift[]> {
  const current = await currentStack(deps.paths);
  if (current === undefined) return [];
  const { observed, desired } = await look(deps, await readStack(deps.paths, current));
  return findDrift(observed, desired);
}

async function look(deps: DeployDeps, stack: Stack): Promise<{ readonly observed: Observed; readonly desired: Materialised }> {
  const desired = materialisePlatform(deps, stack, await secretsOf(deps, stack));
  return { desired, observed: await observePlatform(deps, stack, desired) };
}

function parsePayload(payload: unknown): z.infer<typeof deployPayloadSchema> {
  const parsed = deployPayloadSchema.safeParse(payload);
  if (parsed.success) return parsed.data;
  throw new MillwrightError("STACK_INVALID", "The payload is not {stack, now}.", { details: z.prettifyError(parsed.error).split("\n") });
}

function requireClock(deps: DeployDeps, now: string): void {
  const apart = Math.round(Math.abs(deps.clock.now() - Date.parse(now)) / 1000);
  if (apart <= CLOCK_LIMIT_SECONDS) return;
  const hint = "Set the clock of the one that is wrong (`timedatectl` shows whether it is synchronised).";
  throw new MillwrightError(
    "CLOCK_WRONG",
    `The clocks of the host and of this machine are ${apart} s apart: certificates, sessions and backups would suffer.`,
    { subject: deps.stack, hint },
  );
}

function requireSecrets(stack: Stack, secrets: SecretValues): void {
  const missing = stack.facts.secrets.filter((name) => secrets[name] === undefined);
  if (missing.length === 0) return;
  const hint = "Run `millwright deploy` where the operator's identity is: it makes the secrets that are missing.";
  throw new MillwrightError("SECRET_MISSING", `The vault lacks ${missing.join(", ")}.`, { subject: "secrets.age", hint });
}

function requirePorts(observed: Observed): void {
  const [first] = observed.takenPorts;
  if (first === undefined) return;
  const ports = observed.takenPorts.map((taken) => String(taken.port)).join(" and ");
  throw new MillwrightError("PORT_TAKEN", `Another program on the host listens on ${ports}, which ${first.service} needs.`, {
    subject: first.service,
    hint: `See which: \`ss -ltnp 'sport = :${first.port}'\` on the host.`,
  });
}

/** A standby's stack on the host that serves would end the plant, and the other one on a standby would start a second. */
function requireRole({ facts }: Stack, { database, colours, isFenced }: Observed, rebuild: boolean): void {
  if (facts.follows === undefined) {
    if (isFenced) {
      throw new MillwrightError("STANDBY_ROLE", "This host gave its plant up to another, which may serve it now.", {
        subject: facts.stack,
        hint: "`host` in site.yaml must be the one that serves; this one is made its standby: `millwright deploy --standby --rebuild`.",
      });
    }
    if (rebuild) throw new MillwrightError("STANDBY_ROLE", "Only a standby is made anew; this is the stack of the host that serves.", { subject: facts.stack });
    if (database !== "follows") return;
    throw new MillwrightError("STANDBY_ROLE", "The database on this host follows another host's, so no release can serve here.", { subject: facts.stack });
  }
  if (colours.some(({ state }) => state === "running")) {
    throw new MillwrightError("STANDBY_ROLE", "A release runs on this host, so it cannot become a standby.", { subject: facts.stack });
  }
  if (database !== "own" || rebuild) return;
  throw new MillwrightError("STANDBY_ROLE", "This host has a database of its own, which does not follow another.", {
    subject: "database",
    hint: "`millwright deploy --standby --rebuild` sets it aside and puts a copy of the other host's in its place.",
  });
}

function outdatedColours(observed: Observed, colours: Partial<Record<Colour, Materialised>>): readonly string[] {
  return observed.colours
    .filter((container) => {
      const wanted = colours[container.colour]?.services[container.service];
      return wanted !== undefined && container.state === "running" && wanted.config !== container.config;
    })
    .map((container) => `${container.colour} ${container.service}`);
}

/** What the running colours would be made from today, each with the release it runs. */
function materialiseRunning(deps: DeployDeps, stack: Stack, secrets: SecretValues, observed: Observed): Partial<Record<Colour, Materialised>> {
  const made: Partial<Record<Colour, Materialised>> = {};
  for (const colour of COLOURS) {
    const running = observed.colours.find((container) => container.colour === colour && container.state === "running");
    if (running === undefined) continue;
    made[colour] = materialise({ stack, project: colour, paths: deps.paths, release: running.image, fill: (content) => fillSecrets(content, secrets) });
  }
  return made;
}
