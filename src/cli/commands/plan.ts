import { describePlan } from "../describe-plan.ts";
import { openLink } from "../host-link.ts";
import { askPlan } from "../ask-plan.ts";
import { swapNote } from "./deploy.ts";
import type { Run } from "../program.ts";
import { renderedStack } from "../rendered-stack.ts";
import { type EnvironmentOption, loadTarget } from "../target.ts";

interface Options extends EnvironmentOption {
  readonly exitCode?: boolean;
}

export const planCommand: Run<Options> = async (options, context) => {
  const target = await loadTarget(options, context);
  const stack = await renderedStack(target, context);
  await using link = await openLink(target, options, context);
  const { plan, drift, notes, outdated } = await askPlan(link, stack, context);
  const lines = [...drift.map((one) => `drift: ${one.subject}: ${one.text}`), ...notes, ...swapNote(outdated)];
  const isEmpty = plan.steps.length === 0 && outdated.length === 0;
  return {
    data: { stack: stack.id, plan, drift, notes, outdated, channels: link.channels },
    text: describePlan(plan, lines),
    exit: options.exitCode === true && !isEmpty ? 3 : 0,
  };
};
