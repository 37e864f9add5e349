import { statusSchema } from "../../observe/status-schema.ts";
import { describeStatus } from "../describe-status.ts";
import { openLink } from "../host-link.ts";
import { noteHead } from "../journal-heads.ts";
import type { Run } from "../program.ts";
import { type EnvironmentOption, loadTarget } from "../target.ts";

export const statusCommand: Run<EnvironmentOption> = async (options, context) => {
  const target = await loadTarget(options, context);
  await using link = await openLink(target, options, context);
  const told = statusSchema.parse(await link.call("status", [target.environment.stack]));
  const contradiction = told.journal === undefined || told.journal.problem !== undefined ? undefined : await noteHead(target, told.journal, context);
  const status = contradiction === undefined ? told : { ...told, concerns: [contradiction, ...told.concerns] };
  return { data: { ...status, channels: link.channels }, text: describeStatus(status, context.clock.now()) };
};
