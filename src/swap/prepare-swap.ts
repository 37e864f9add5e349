import { COLOURS, type Colour, CONFIG_LABEL } from "../blueprint/stack.ts";
import { hashOf } from "../kernel/canonical.ts";
import { requireFree, RESERVE_BYTES } from "../kernel/disk-space.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { type Plan, planId } from "../kernel/plan.ts";
import { checkRelease } from "../release/read-release.ts";
import type { Release } from "../release/release-file.ts";
import { classify, type Classification } from "./classify.ts";
import { containerOf, platformContainer, projectOf } from "./colour-view.ts";
import { planRollback, planSwap } from "./plan-swap.ts";
import { refuseOnStandby } from "./refuse-on-standby.ts";
import { requireImage } from "./require-image.ts";
import { assertReads } from "./probes/smoke.ts";
import { readColourRelease, readServing, type Serving, wayBack } from "./serving.ts";
import { swapContextSchema } from "./swap-context.ts";
import type { SwapDeps } from "./swap-deps.ts";
import { trafficOf } from "./write-traffic.ts";

export interface PreparedSwap {
  readonly plan: Plan;
  readonly classification: Classification;
  /** What a person should know before saying yes. */
  readonly notes: readonly string[];
}

interface Wishes {
  /** How long the release is to be shown to testers only, at most. */
  readonly previewSeconds?: number | undefined;
}

/**
 * Looks at the host and plans a swap to a release that came from the operator side; without one, to the release that serves, for settings
 * that have changed since it was started. Changes nothing.
 */
export async function prepareSwap(deps: SwapDeps, data?: unknown, { previewSeconds }: Wishes = {}): Promise<PreparedSwap> {
  const { facts } = deps.stack;
  refuseOnStandby(facts);
  const from = await observeServing(deps);
  const release = data === undefined ? from?.release : checkRelease(data, "release");
  if (release === undefined) {
    const hint = "Build one with `millwright release build`, then `millwright upgrade`.";
    throw new MillwrightError("RELEASE_NOT_FOUND", "No release serves yet.", { hint });
  }
  if (release.site !== facts.site || release.series !== facts.series) {
    throw new MillwrightError(
      "RELEASE_INVALID",
      `Release ${release.id} is of ${release.site} for Odoo ${release.series}, this stack of ${facts.site} for Odoo ${facts.series}.`,
      { subject: release.id },
    );
  }
  if (previewSeconds !== undefined && from === undefined) {
    throw new MillwrightError("PREVIEW_IMPOSSIBLE", `No release serves yet that others could stay on while ${release.id} is looked at.`, {
      subject: release.id,
    });
  }
  assertReads(facts.smoke);
  await assertPlatformRuns(deps);
  requireFree({ free: await deps.freeBytes(), needed: RESERVE_BYTES, what: "an upgrade" });
  const classification = classify(from?.release, release, from === undefined ? [] : await outdatedServices(deps, from));
  if (classification.kind === "schema-changing") throw needsUpdate(release, classification);
  const colour: Colour = from?.serving.colour === "blue" ? "green" : "blue";
  // A routing table that cannot be made must show now, not at the switch.
  trafficOf(deps.stack, { colour, switchId: "none" });
  if (classification.kind !== "same") await requireImage(deps, release);
  if (from === undefined) await assertFirstSecrets(deps);

  const id = planId(deps.clock, "swap");
  const basis = await basisOf(deps, release.image, from?.serving);
  const { bakeSeconds, canary } = facts.swap;
  const plan = planSwap({ id, basis, stack: facts.stack, bakeSeconds, canary, previewSeconds, release, classification, from });
  return { plan, classification, notes: await notesOf(deps, from, colour) };
}

/** Looks at the host and plans the way back to the release before. Changes nothing. */
export async function prepareRollback(deps: SwapDeps): Promise<PreparedSwap> {
  await assertPlatformRuns(deps);
  const from = await observeServing(deps);
  const previous = from && wayBack(from.serving);
  if (from === undefined || previous === undefined) {
    const hint = "Choose a release yourself: `millwright upgrade --release <id>`.";
    throw new MillwrightError(
      "ROLLBACK_IMPOSSIBLE",
      from === undefined ? "No release serves yet." : `Before release ${from.release.id} there is none to go back to.`,
      { hint },
    );
  }
  const { colour, release } = previous;
  const classification = classify(from.release, release);
  if (classification.kind === "schema-changing") throw needsUpdate(release, classification);
  await requireImage(deps, release);
  // Before the look at the container, which might change while this is made.
  const basis = await basisOf(deps, release.image, from.serving);
  const web = await containerOf(deps, colour, "web");
  const isRunning = web?.state === "running" && web.image === release.image;
  const plan = planRollback({
    id: planId(deps.clock, "rollback"),
    basis,
    stack: deps.stack.facts.stack,
    release,
    classification,
    from,
    colour,
    isRunning,
  });
  return { plan, classification, notes: [] };
}

/** The `basis` that the same plan would have now: another one means that the host has changed since. */
export async function swapBasis(deps: SwapDeps, plan: Plan): Promise<string> {
  return await basisOf(deps, swapContextSchema.parse(plan.context).release.image, await readServing(deps.paths));
}

/** Of what serves as the plan saw it: a run may end, and write it anew, while the plan is made. */
async function basisOf(deps: SwapDeps, image: string, serving: Serving | undefined): Promise<string> {
  const projects = await Promise.all(COLOURS.map((colour) => deps.docker.containers(projectOf(deps, colour))));
  const containers = projects.flat().map(({ id, image: made, state }) => ({ id, image: made, state }));
  const present = (await deps.docker.image(image)) !== undefined;
  return hashOf({ stack: deps.stack.id, serving: serving ?? null, containers, image, present });
}

async function observeServing(deps: SwapDeps): Promise<{ readonly serving: Serving; readonly release: Release } | undefined> {
  const serving = await readServing(deps.paths);
  if (serving === undefined) return undefined;
  const release = await readColourRelease(deps.paths, serving.colour);
  if (release?.id === serving.release) return { serving, release };
  const subject = `${deps.paths.colour(serving.colour)}/release.json`;
  throw new MillwrightError("STATE_DAMAGED", `Release ${serving.release} serves on ${serving.colour}, but that colour's release.json does not hold it.`, {
    subject,
    hint: "Look at `millwright history`.",
  });
}

/** Services of the colour that serves whose containers were made with other settings than the stack has now. */
async function outdatedServices(deps: SwapDeps, from: { readonly serving: Serving; readonly release: Release }): Promise<readonly string[]> {
  const wanted = await deps.colourConfig(deps.stack, from.serving.colour, from.release);
  const running = await deps.docker.containers(projectOf(deps, from.serving.colour));
  return running
    .filter((container) => wanted[container.service] !== undefined && container.labels[CONFIG_LABEL] !== wanted[container.service])
    .map((container) => container.service);
}

async function assertPlatformRuns(deps: SwapDeps): Promise<void> {
  for (const service of ["edge", "database"] as const) {
    const container = await platformContainer(deps, service);
    if (container?.state === "running") continue;
    throw new MillwrightError("PLATFORM_DOWN", `The ${service} of the stack ${container === undefined ? "does not exist" : `is ${container.state}`}.`, {
      subject: service,
      hint: "Run `millwright deploy` first.",
    });
  }
}

async function assertFirstSecrets(deps: SwapDeps): Promise<void> {
  for (const name of ["odoo_admin", "odoo_probe"]) {
    if ((await deps.secret(name)) !== undefined) continue;
    throw new MillwrightError("SECRET_MISSING", `The vault has no ${name}, which a first release needs.`, {
      subject: name,
      hint: "Run `millwright deploy`: it makes the secrets that are missing.",
    });
  }
}

function needsUpdate(release: Release, classification: Classification): MillwrightError {
  const what = classification.addons.length > 0 ? `of ${classification.addons.join(", ")}` : "of Odoo's own modules";
  return new MillwrightError(
    "RELEASE_NEEDS_UPDATE",
    `Release ${release.id} needs a module update ${what}, and this version swaps only releases that leave the database as it is.`,
    {
      subject: release.id,
      details: classification.reasons,
      hint: "Nothing was changed. Build a release without these changes, or update the modules by hand in a maintenance window.",
    },
  );
}

async function notesOf(deps: SwapDeps, from: { readonly serving: Serving } | undefined, colour: Colour): Promise<readonly string[]> {
  const notes = deps.stack.facts.waived.map((waiver) => `waived: ${waiver.rule} of ${waiver.service} (${waiver.reason})`);
  if (from === undefined) return notes;
  const [serving, other] = [await containerOf(deps, from.serving.colour, "web"), await containerOf(deps, colour, "web")];
  if (serving?.state !== "running") notes.push(`${from.serving.colour}, which serves, does not run: there is nothing to switch back to at once`);
  if (other?.state === "running") notes.push(`${colour} still runs from an earlier swap and will be made anew`);
  return notes;
}
