import type { Colour } from "../blueprint/stack.ts";
import { type Plan, planSchema } from "../kernel/plan.ts";
import type { Release } from "../release/release-file.ts";
import type { Classification } from "./classify.ts";
import type { Serving } from "./serving.ts";
import type { SwapPlanContext } from "./swap-context.ts";

export interface PlanInput {
  readonly id: string;
  readonly basis: string;
  readonly stack: string;
  readonly bakeSeconds: number;
  /** The site's stages before all users are moved; undefined when there are none. */
  readonly canary?: { readonly percent: readonly number[]; readonly stageSeconds: number } | undefined;
  /** How long the release waits for a person's word before any user is moved; undefined when nobody asked for that. */
  readonly previewSeconds?: number | undefined;
  readonly release: Release;
  readonly classification: Classification;
  readonly from: { readonly serving: Serving; readonly release: Release } | undefined;
}

/** A step that may be written without the fields that have a default; its id is its kind unless it has another. */
type Draft = Pick<Plan["steps"][number], "title" | "cause"> & Partial<Omit<Plan["steps"][number], "kind">> & { readonly kind: string };

/**
 * The steps of a swap, in the order of docs/decisions/0003-order-of-a-swap.md: whatever is slow to undo stands before the switch, so
 * that undoing in reverse order moves users back first. Pure.
 */
export function planSwap(input: PlanInput): Plan {
  const { release, from, classification } = input;
  const colour: Colour = from?.serving.colour === "blue" ? "green" : "blue";
  if (classification.kind === "same") return assemble(input, "swap", colour, `Release ${release.id} serves already.`, []);
  return from === undefined
    ? assemble(input, "swap", colour, `Bring the first release, ${release.id}, into service on ${colour}.`, firstSteps(input, colour))
    : assemble(
        input,
        "swap",
        colour,
        classification.kind === "configuration"
          ? `Give release ${release.id} its new settings: from ${from.serving.colour} to ${colour}.`
          : `Swap from release ${from.release.id} (${from.serving.colour}) to ${release.id} (${colour}).`,
        swapSteps(input, colour, from.serving.colour, from.release),
      );
}

function swapSteps(input: PlanInput, colour: Colour, old: Colour, before: Release): readonly Draft[] {
  const [image, ...rest] = bringUp(input, colour, `release ${before.id} goes on serving on ${old}`);
  const [preview, stages] = [previewSteps(input, colour, old), canarySteps(input, colour, old)];
  const looks = [...preview, ...stages];
  const after = stages.length === 0 ? {} : { params: { after: "canary" } };
  const cronStop: Draft = {
    kind: "cron-stop",
    title: `Ask the scheduled jobs of ${old} to end`,
    cause: "old and new code must not run them side by side",
    undo: `stop those of ${colour} if they run, and start those of ${old} again`,
    ...after,
  };
  return [
    ...(image === undefined ? [] : [image]),
    { kind: "baseline", title: `See how ${before.id} does on ${old}`, cause: "the new release is held against that" },
    ...rest,
    // They end beside the warm-up; through a preview or a canary, which may take hours, they go on.
    ...(looks.length === 0 ? [cronStop, warmStep(colour)] : [warmStep(colour), ...looks, cronStop]),
    { kind: "cron-ended", title: `Wait until the scheduled jobs of ${old} have ended`, cause: "a job that runs is never cut off by an upgrade", ...after },
    {
      kind: "switch",
      title: `Switch ${stages.length === 0 ? "users" : "all users"} from ${old} to ${colour}`,
      cause: input.classification.reasons.join("; "),
      undo: `switch users back to ${old}`,
      ...after,
    },
    frontStep(colour),
    cronStartStep(colour),
    bakeStep(input),
    confirmStep(input, `write down again that ${old} serves`),
    ...leave(old, input.classification.kind === "configuration" ? "its settings are the old ones" : "kept ready for `rollback`"),
    { kind: "tidy", title: "Remove the images of past releases", cause: "the last few are kept", failure: "report" },
  ];
}

/** A person first. */
function previewSteps({ release, previewSeconds }: PlanInput, colour: Colour, old: Colour): readonly Draft[] {
  if (previewSeconds === undefined) return [];
  return [
    {
      kind: "preview",
      title: `Show ${release.id} on ${colour} to testers and wait for a person's go, ${previewSeconds} s at most`,
      cause: "asked for with --preview",
      undo: `lead testers back to ${old} at once`,
      waitSeconds: previewSeconds,
    },
  ];
}

/**
 * Some users first. Each stage goes on from the one before, and is undone to where nobody was moved. Not for new settings of the release that serves: the
 * code is what users have met already, and workers and memory are put to the test by everybody's load, which the bake watches.
 */
function canarySteps({ release, canary, classification }: PlanInput, colour: Colour, old: Colour): readonly Draft[] {
  if (canary === undefined || classification.kind === "configuration") return [];
  return canary.percent.map((percent, index) => ({
    id: `canary-${percent}`,
    kind: "canary",
    title: `Lead ${percent} of 100 browsers to ${colour} and watch ${release.id} for ${canary.stageSeconds} s`,
    cause: index === 0 ? "few meet what the probes do not see" : "it has held so far",
    undo: `lead everybody back to ${old} at once`,
    watchSeconds: canary.stageSeconds,
    params: { percent, before: canary.percent[index - 1] ?? 0 },
  }));
}

function firstSteps(input: PlanInput, colour: Colour): readonly Draft[] {
  const [image, ...rest] = bringUp(input, colour, "no release serves yet");
  return [
    ...(image === undefined ? [] : [image]),
    {
      kind: "init-database",
      title: "Fill the database with Odoo and the site's modules",
      cause: "it is empty",
      undo: "empty it again, unless users could get in already",
    },
    ...rest,
    { kind: "set-up", title: "Set the administrator's password, the probe account and the public address", cause: "a new database has admin/admin" },
    warmStep(colour),
    { kind: "switch", title: `Open the door to ${colour}`, cause: "first release", undo: "close it: users see the maintenance answer" },
    frontStep(colour),
    cronStartStep(colour),
    bakeStep(input),
    confirmStep(input, "write down again that nothing serves"),
  ];
}

function bringUp(input: PlanInput, colour: Colour, cause: string): readonly Draft[] {
  return [
    { kind: "image", title: `Look for the image of release ${input.release.id} on the host`, cause: "nothing is begun without it" },
    { kind: "up", title: `Start ${colour} with release ${input.release.id}`, cause, undo: `remove ${colour}` },
    { kind: "answers", title: `Wait until ${colour} answers`, cause: "Odoo loads its registry first" },
  ];
}

function warmStep(colour: Colour): Draft {
  return { kind: "warm", title: `Warm every worker of ${colour} and probe it directly`, cause: "users must not meet a cold or broken worker" };
}

function frontStep(colour: Colour): Draft {
  return {
    kind: "front",
    title: `Prove through the front door that ${colour} answers`,
    cause: "decision: from here on a cut-off run goes forward",
    decision: true,
  };
}

function cronStartStep(colour: Colour): Draft {
  return { kind: "cron-start", title: `Start the scheduled jobs of ${colour}`, cause: "they follow the users" };
}

function bakeStep(input: PlanInput): Draft {
  return {
    kind: "bake",
    title: `Watch ${input.release.id} for ${input.bakeSeconds} s`,
    cause: "probes, containers and the proxy's own counts may still take it back",
    watchSeconds: input.bakeSeconds,
  };
}

function confirmStep(input: PlanInput, undo: string): Draft {
  return { kind: "confirm", title: `Write down that ${input.release.id} serves`, cause: "status, rollback and the next swap go by it", undo };
}

/** From here on the new state is whole: what fails is reported, and takes nothing back. */
function leave(old: Colour, cause: string): readonly Draft[] {
  return [
    { kind: "drain", title: `Wait for what still runs on ${old}`, cause: "no request is cut that can end in time", failure: "report" },
    { kind: "retire", title: `Stop ${old}`, cause, undo: `start ${old} again`, failure: "report" },
  ];
}

/**
 * Back to the release before. Users first, scheduled jobs afterwards: whoever types this has a reason to hurry. After the decision
 * nothing takes the rollback itself back.
 */
export function planRollback(
  input: Omit<PlanInput, "bakeSeconds" | "canary" | "previewSeconds"> & { readonly isRunning: boolean; readonly colour: Colour },
): Plan {
  const { release, from, colour } = input;
  const old = from?.serving.colour ?? "blue";
  const ready: readonly Draft[] = input.isRunning
    ? [{ kind: "check", title: `Probe ${colour}, which still runs`, cause: "nobody is sent back to something broken" }]
    : [
        { kind: "image", title: `Look for the image of release ${release.id} on the host`, cause: "nothing is begun without it" },
        { kind: "up", title: `Start ${colour} with release ${release.id}`, cause: "it does not run any more", undo: `stop ${colour}` },
        { kind: "answers", title: `Wait until ${colour} answers`, cause: "Odoo loads its registry first" },
        warmStep(colour),
      ];
  const purpose = `Roll back from release ${from?.release.id ?? "none"} (${old}) to ${release.id} (${colour}).`;
  return assemble(input, "rollback", colour, purpose, [
    ...ready,
    { kind: "switch", title: `Switch users from ${old} to ${colour}`, cause: "the release before is wanted back", undo: `switch users back to ${old}` },
    frontStep(colour),
    {
      kind: "cron-stop",
      title: `Ask the scheduled jobs of ${old} to end`,
      cause: "old and new code must not run them side by side",
      undo: `start those of ${old} again`,
      failure: "report",
    },
    {
      kind: "cron-ended",
      title: `Wait until the scheduled jobs of ${old} have ended`,
      cause: "a job that takes longer than cronSeconds is cut off",
      params: { patience: "cut" },
      failure: "report",
    },
    { ...cronStartStep(colour), failure: "report" },
    { kind: "confirm", title: `Write down that ${release.id} serves`, cause: "status and the next swap go by it", undo: `write down again that ${old} serves` },
    ...leave(old, "its release was rolled back"),
  ]);
}

function assemble(
  input: Omit<PlanInput, "bakeSeconds" | "canary" | "previewSeconds">,
  kind: SwapPlanContext["kind"],
  colour: Colour,
  purpose: string,
  steps: readonly Draft[],
): Plan {
  const context: SwapPlanContext = { kind, colour, release: input.release, ...(input.from === undefined ? {} : { from: input.from }) };
  const whole = steps.map((step) => ({ ...step, id: step.id ?? step.kind }));
  return planSchema.parse({ version: 1, id: input.id, stack: input.stack, kind, purpose, basis: input.basis, steps: whole, context });
}
