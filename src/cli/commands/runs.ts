import { confirm } from "../confirm.ts";
import { endedRunSchema } from "../ended-run.ts";
import { openLink, watchRun } from "../host-link.ts";
import type { CommandResult } from "../output.ts";
import type { Run } from "../program.ts";
import { type EnvironmentOption, loadTarget } from "../target.ts";

export const followCommand: Run<EnvironmentOption> = async (options, context) => {
  const target = await loadTarget(options, context);
  await using link = await openLink(target, options, context);
  return ended(await watchRun(link, "follow", [target.environment.stack], context));
};

export const resumeCommand: Run<EnvironmentOption> = async (options, context) => {
  const target = await loadTarget(options, context);
  await using link = await openLink(target, options, context);
  return ended(await watchRun(link, "resume", [target.environment.stack], context));
};

export const abortCommand: Run<EnvironmentOption> = async (options, context) => {
  const target = await loadTarget(options, context);
  await confirm(`Undo what is under way on ${target.environment.host.address}?`, options, context);
  await using link = await openLink(target, options, context);
  return ended(await watchRun(link, "abort", [target.environment.stack], context));
};

function ended(result: unknown): CommandResult {
  const run = endedRunSchema.parse(result);
  return { data: run, text: `Run ${run.run}: ${run.summary}` };
}
