import * as z from "zod";
import { openLink } from "../host-link.ts";
import type { Run } from "../program.ts";
import { type EnvironmentOption, loadTarget } from "../target.ts";

const logsSchema = z.object({ service: z.string(), container: z.string(), lines: z.array(z.string()) });

export const logsCommand: Run<EnvironmentOption & { readonly service: string; readonly lines: string }> = async (options, context) => {
  const target = await loadTarget(options, context);
  await using link = await openLink(target, options, context);
  const logs = logsSchema.parse(await link.call("logs", [target.environment.stack, options.service, options.lines]));
  return { data: logs, text: logs.lines.join("\n") };
};
