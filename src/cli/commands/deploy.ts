import type { Stack } from "../../blueprint/stack.ts";
import { askPlan, askPlanOf } from "../ask-plan.ts";
import { bringDerived } from "../bring-derived.ts";
import { bringSite } from "../bring-site.ts";
import { confirm } from "../confirm.ts";
import type { CliContext } from "../context.ts";
import { describePlan } from "../describe-plan.ts";
import { endedRunSchema } from "../ended-run.ts";
import { type HostLink, openLink, watchRun } from "../host-link.ts";
import type { CommandResult } from "../output.ts";
import type { CommonOptions, Run } from "../program.ts";
import { renderedStack } from "../rendered-stack.ts";
import { type EnvironmentOption, loadTarget, type Target } from "../target.ts";
import { whilePlansHold } from "../while-plans-hold.ts";

interface Options extends EnvironmentOption {
  readonly docker?: string;
  readonly rebuild?: boolean;
}

/** The platform becomes that of the site; a release whose own settings have changed is then swapped in anew with them. */
export const deployCommand: Run<Options> = async (options, context) => {
  const target = await loadTarget(options, context);
  const stack = await renderedStack(target, context);
  const { host } = target.environment;
  context.output.say(`Comparing stack ${stack.id} with ${host.address} …`);
  await using link = await openLink(target, options, context);
  return await whilePlansHold(options, context, () => deployOnce(link, target, stack, options, context));
};

async function deployOnce(link: HostLink, target: Target, stack: Stack, options: Options & CommonOptions, context: CliContext): Promise<CommandResult> {
  const { host, stack: name } = target.environment;
  const reply = await askPlan(link, stack, context, options.rebuild === true);
  const { plan, drift, notes, outdated } = reply;
  const lines = [...drift.map((one) => `drift: ${one.subject}: ${one.text}`), ...notes, ...swapNote(outdated)];
  const data = { stack: stack.id, drift, notes, outdated };
  if (plan.steps.length === 0 && outdated.length === 0) {
    await bringSite(link, target, reply, context);
    return { data: { ...data, changed: false, channels: link.channels }, text: describePlan(plan, lines) };
  }
  context.output.say(describePlan(plan, lines));
  await confirm(`Carry this out on ${host.address}?`, options, context);
  await bringSite(link, target, reply, context);
  if (options.docker !== undefined) await bringDerived(link, options.docker, target, stack, plan, context);
  const run = plan.steps.length === 0 ? undefined : await watchRun(link, "deploy", [name, plan.id], context);
  const text = `Stack ${stack.id} is up on ${host.address}.`;
  if (outdated.length === 0) return { data: { ...data, changed: true, run, channels: link.channels }, text };

  const renewal = await askPlanOf(link, "upgrade-plan", name, {});
  context.output.say(describePlan(renewal.plan, renewal.notes));
  const swap = renewal.plan.steps.length === 0 ? undefined : endedRunSchema.parse(await watchRun(link, "upgrade", [name, renewal.plan.id], context));
  return { data: { ...data, changed: true, run, swap, channels: link.channels }, text: [text, ...(swap === undefined ? [] : [swap.summary])].join("\n") };
}

/** Said by `plan` too: what a deploy does when the platform stands. */
export function swapNote(outdated: readonly string[]): readonly string[] {
  if (outdated.length === 0) return [];
  return [
    `Then the release that serves is swapped in anew, as in an upgrade: Odoo reads the new settings of ${outdated.join(", ")} at its start. Nobody waits.`,
  ];
}
