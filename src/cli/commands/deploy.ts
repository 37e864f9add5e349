import { confirm } from "../confirm.ts";
import { describePlan } from "../describe-plan.ts";
import { askPlan } from "../ask-plan.ts";
import { openLink, watchRun } from "../host-link.ts";
import type { Run } from "../program.ts";
import { renderedStack } from "../rendered-stack.ts";
import { type EnvironmentOption, loadTarget } from "../target.ts";

export const deployCommand: Run<EnvironmentOption> = async (options, context) => {
  const target = await loadTarget(options, context);
  const stack = await renderedStack(target, context);
  const { host, stack: name } = target.environment;
  context.output.say(`Comparing stack ${stack.id} with ${host.address} …`);
  await using link = await openLink(target, options, context);
  const { plan, drift, notes } = await askPlan(link, stack, context);
  const lines = [...drift.map((one) => `drift: ${one.subject}: ${one.text}`), ...notes];
  if (plan.steps.length === 0) {
    return { data: { stack: stack.id, changed: false, drift, notes, channels: link.channels }, text: describePlan(plan, lines) };
  }
  context.output.say(describePlan(plan, lines));
  await confirm(`Carry this out on ${host.address}?`, options, context);
  const run = await watchRun(link, "deploy", [name, plan.id], context);
  return { data: { stack: stack.id, changed: true, run, drift, notes, channels: link.channels }, text: `Stack ${stack.id} is up on ${host.address}.` };
};
