import { askPlanOf } from "../ask-plan.ts";
import { confirmByName } from "../confirm.ts";
import { describePlan } from "../describe-plan.ts";
import { endedRunSchema } from "../ended-run.ts";
import { openLink, watchRun } from "../host-link.ts";
import type { Run } from "../program.ts";
import { type EnvironmentOption, loadTarget } from "../target.ts";

const NEXT = "Once another host serves, make this one its standby: millwright deploy --standby --rebuild";

interface Options extends EnvironmentOption {
  readonly confirm?: string;
  readonly lift?: boolean;
}

/** Part of `failover`; by itself for a host that comes back after another has taken over. `--lift` is the way back where none has. */
export const hostFenceCommand: Run<Options> = async (options, context) => {
  const target = await loadTarget(options, context);
  const { stack, host } = target.environment;
  await using link = await openLink(target, options, context);
  // What site.yaml calls the standby serves beside the host, if at all: its end must not wait for anything.
  const request = { kind: "fence", lift: options.lift === true, mustEnd: options.standby === true };
  const { plan, notes } = await askPlanOf(link, "backup-plan", stack, request);
  context.output.say(describePlan(plan, notes));
  await confirmByName(
    options.lift === true ? `Start the plant on ${host.address} again?` : `End the plant on ${host.address}?`,
    stack,
    options.confirm,
    context,
  );
  const run = endedRunSchema.parse(await watchRun(link, "backup", [stack, plan.id], context));
  return { data: { plan, notes, run, channels: link.channels }, text: options.lift === true ? run.summary : `${run.summary}\n${NEXT}` };
};
