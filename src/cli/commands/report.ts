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
  const target = await loadTarget({ ...options, ...(env === undefined ? {} : { env }) }, context).catch((error: unknown) => {
    throw options.env === undefined && env !== undefined ? neitherOf(env, error) : error;
  });
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

/** A word by itself that is no environment may as well be a run's id that was mistyped. */
function neitherOf(word: string, error: unknown): unknown {
  if (!(error instanceof MillwrightError) || error.code !== "ENVIRONMENT_UNKNOWN") return error;
  const hint = `Runs are called such as ${RUN_EXAMPLE}: see \`millwright history\`. ${error.hint}`;
  return new MillwrightError("ENVIRONMENT_UNKNOWN", `"${word}" is neither the id of a run nor an environment.`, { subject: word, hint, cause: error });
}

const RUN_EXAMPLE = "20261124-020000-1f2e";

/** A run's id cannot be taken for an environment's name, so either may come alone. */
export function namesOf({ run, env }: Pick<Options, "run" | "env">): { readonly run: string; readonly env: string | undefined } {
  if (run === undefined || ARGUMENTS.run.test(run)) return { run: run ?? "last", env };
  if (env === undefined) return { run: "last", env: run };
  throw new MillwrightError("USAGE", `"${run}" is not the id of a run.`, { hint: `Such as ${RUN_EXAMPLE}; see \`millwright history\`.` });
}
