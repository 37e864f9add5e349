import { join, resolve } from "node:path";
import { ARGUMENTS } from "../../agent/arguments.ts";
import { writeDurable } from "../../kernel/durable-file.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import { reportPage } from "../../observe/report/report-page.ts";
import { runRecordSchema } from "../../observe/run-record.ts";
import { openLink } from "../host-link.ts";
import { noteHead } from "../journal-heads.ts";
import type { Run } from "../program.ts";
import { type EnvironmentOption, loadTarget } from "../target.ts";

interface Options extends EnvironmentOption {
  readonly run?: string;
  readonly out?: string;
}

/** One HTML page of a run: fetched in one round trip, made here. */
export const reportCommand: Run<Options> = async (options, context) => {
  const { run, env } = namesOf(options);
  const target = await loadTarget({ ...options, ...(env === undefined ? {} : { env }) }, context);
  const { site, environment } = target;
  context.output.say(`Asking ${environment.host.address} what it keeps of ${run === "last" ? "the last swap" : `run ${run}`} …`);
  await using link = await openLink(target, options, context);
  const record = runRecordSchema.parse(await link.call("report", [environment.stack, run]));
  const contradiction = record.journal.problem ?? (await noteHead(target, record.journal, context));
  if (contradiction !== undefined) context.output.warn(contradiction);
  const file = options.out === undefined ? join(site.directory, "reports", `${environment.stack}-${record.run}.html`) : resolve(context.directory, options.out);
  await writeDurable(file, reportPage(record), { mode: 0o640 });
  return { data: { run: record.run, file, leftOut: record.leftOut, channels: link.channels }, text: `Report of run ${record.run}: ${file}` };
};

/** A run's id cannot be taken for an environment's name, so either may come alone. */
export function namesOf({ run, env }: Pick<Options, "run" | "env">): { readonly run: string; readonly env: string | undefined } {
  if (run === undefined || ARGUMENTS.run.test(run)) return { run: run ?? "last", env };
  if (env === undefined) return { run: "last", env: run };
  throw new MillwrightError("USAGE", `"${run}" is not the id of a run.`, { hint: "Such as 20261124-020000-1f2e; see `millwright history`." });
}
