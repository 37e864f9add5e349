import { asMillwrightError, MillwrightError } from "../../kernel/errors.ts";
import { printable } from "../../kernel/printable.ts";
import { releaseIds } from "../../release/make-release.ts";
import { readRelease, readReleases } from "../../release/read-release.ts";
import { askPlanOf, type PlanReply } from "../ask-plan.ts";
import { bringSite } from "../bring-site.ts";
import { confirm } from "../confirm.ts";
import type { CliContext } from "../context.ts";
import { describePlan } from "../describe-plan.ts";
import { endedRunSchema } from "../ended-run.ts";
import { type HostLink, openLink, watchRun } from "../host-link.ts";
import type { CommandResult } from "../output.ts";
import type { CommonOptions, Run } from "../program.ts";
import { type EnvironmentOption, loadTarget, type Target } from "../target.ts";

interface UpgradeOptions extends EnvironmentOption {
  readonly release?: string;
  readonly dryRun?: boolean;
  readonly preview?: boolean;
}

export const upgradeCommand: Run<UpgradeOptions> = async (options, context) => {
  const target = await loadTarget(options, context);
  const release = await readRelease(target.site.files.releases, options.release ?? (await chooseRelease(target, context)));
  context.output.say(`Asking ${target.environment.host.address} what release ${release.id} would change …`);
  await using link = await openLink(target, options, context);
  const preview = options.preview === true ? { preview: { seconds: target.environment.previewSeconds } } : {};
  const prepared = await askPlanOf(link, "upgrade-plan", target.environment.stack, { release, ...preview });
  const extra = prepared.classification === undefined ? [] : [`${prepared.classification.kind}: ${prepared.classification.reasons.join("; ")}`];
  const done = await carryOut(link, "upgrade", { target, prepared, extra }, options, context);
  if (target.environment.standby === undefined || options.dryRun === true) return done;
  const told = await bringToStandby(release.id, options, context);
  return told === undefined ? done : { ...done, text: `${done.text}\n${told}` };
};

/** So that the standby can take over with it. A standby out of reach is no reason for an upgrade to fail. */
async function bringToStandby(release: string, options: UpgradeOptions & CommonOptions, context: CliContext): Promise<string | undefined> {
  const { releasePushCommand } = await import("./release-push.ts");
  try {
    return (await releasePushCommand({ ...options, release, standby: true }, context)).text;
  } catch (error) {
    const { message } = asMillwrightError(error);
    context.output.warn(`The standby has not got release ${release}: ${message} Later: millwright release push ${release} --standby`);
    return undefined;
  }
}

export const rollbackCommand: Run<EnvironmentOption> = async (options, context) => {
  const target = await loadTarget(options, context);
  await using link = await openLink(target, options, context);
  const prepared = await askPlanOf(link, "rollback-plan", target.environment.stack);
  return await carryOut(link, "rollback", { target, prepared, extra: [] }, options, context);
};

interface Work {
  readonly target: Target;
  readonly prepared: PlanReply;
  readonly extra: readonly string[];
}

async function carryOut(
  link: HostLink,
  verb: "upgrade" | "rollback",
  work: Work,
  options: CommonOptions & { readonly dryRun?: boolean },
  context: CliContext,
): Promise<CommandResult> {
  const { plan, notes } = work.prepared;
  const text = describePlan(plan, [...work.extra, ...notes]);
  if (plan.steps.length === 0 || options.dryRun === true) return { data: { plan, notes, changed: false, channels: link.channels }, text };
  context.output.say(text);
  await confirm(`Carry this out on ${work.target.environment.host.address}?`, options, context);
  // A backup after it names this release, whose file a new host needs.
  await bringSite(link, work.target, work.prepared, context);
  const run = endedRunSchema.parse(await watchRun(link, verb, [work.target.environment.stack, plan.id], context));
  return { data: { plan, notes, changed: true, run, channels: link.channels }, text: `${run.summary}\nThe evidence on one page: millwright report` };
}

/** The newest first, with their notes; without a terminal the flag is needed. */
async function chooseRelease({ site }: Target, context: CliContext): Promise<string> {
  const ids = await releaseIds(site.files.releases);
  if (ids.length === 0) throw new MillwrightError("RELEASE_NOT_FOUND", "The site has no release yet.", { hint: "millwright release build" });
  const { inquirerAsk } = await import("../../wizard/inquirer-ask.ts");
  const releases = [...(await readReleases(site.files.releases))].reverse();
  return await inquirerAsk({ interactive: context.interactive, signal: context.signal }).select({
    key: "release",
    flag: `--release ${ids.at(-1)}`,
    message: "Which release?",
    explanation: `Releases in ${site.files.releases}, newest first.`,
    choices: releases.map(({ id, notes, createdBy }) => ({ value: id, name: printable(`${id}  ${createdBy}  ${notes.split("\n")[0] ?? ""}`.trim()) })),
  });
}
