import { z } from "zod";
import { type Status, statusSchema } from "../../observe/status-schema.ts";
import { openLink } from "../host-link.ts";
import type { Run } from "../program.ts";
import { table } from "../table.ts";
import { type EnvironmentOption, loadTarget } from "../target.ts";

export const statusCommand: Run<EnvironmentOption> = async (options, context) => {
  const target = await loadTarget(options, context);
  await using link = await openLink(target, options, context);
  const status = statusSchema.parse(await link.call("status", [target.environment.stack]));
  return { data: { ...status, channels: link.channels }, text: describeStatus(status, context.clock.now()) };
};

/** One screen: what serves, since when, by whom; how well; what was last; what needs a person. */
export function describeStatus(status: Status, now: number): string {
  const { serving, stack, host, run } = status;
  const ago = (at: string): string => age(now - Date.parse(at));
  const gigabytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  const lines = [
    serving === undefined
      ? `${stack.name} on ${host.name}: no release serves yet`
      : `${stack.name} on ${host.name}: release ${serving.release} on ${serving.colour}, for ${ago(serving.since)}, by ${serving.who}`,
    ...(serving?.rollbackTo === undefined ? [] : [`rollback  to ${serving.rollbackTo}`]),
    `stack     ${stack.id ?? "none"}${stack.domain === undefined ? "" : `, https://${stack.domain}`}`,
    `host      ${host.cpus} processors, load ${host.load.toFixed(2)}, ${gigabytes(host.memoryFreeBytes)} of ${gigabytes(host.memoryBytes)} memory free, ${gigabytes(host.disk.freeBytes)} disk free, Docker ${host.engine}`,
    `backup    ${status.backup.last === undefined ? "none yet" : `last good one ${ago(status.backup.last)} ago`}`,
    ...(run === undefined ? [] : [`run       ${run.reason} since ${ago(run.since)}, by ${run.who}: millwright follow`]),
    "",
    table(
      ["service", "state", "health", "for", "restarts"],
      [
        ...status.services.map((service) => [
          service.service,
          service.state,
          service.health,
          service.since === "" ? "" : ago(service.since),
          String(service.restarts),
        ]),
        ...status.colours.flatMap((colour) =>
          colour.services.map((service) => [
            `${colour.colour}-${service.service}${colour.serves ? " *" : ""}`,
            service.state,
            service.health,
            service.state === "running" ? ago(service.since) : "",
            String(service.restarts),
          ]),
        ),
      ],
    ),
  ];
  if (status.lastRuns.length > 0) {
    lines.push(
      "",
      table(
        ["run", "kind", "outcome", "when", "who"],
        status.lastRuns.map((last) => [last.run, last.kind, last.outcome, `${ago(last.began)} ago`, last.who]),
      ),
    );
  }
  lines.push("", ...(status.concerns.length === 0 ? ["Nothing needs a person."] : status.concerns.map((concern) => `! ${concern}`)));
  return lines.join("\n");
}

function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

const historySchema = z.object({
  runs: z.array(
    z
      .object({ run: z.string(), kind: z.string(), purpose: z.string(), who: z.string(), began: z.string(), ended: z.string().optional(), outcome: z.string() })
      .loose(),
  ),
  entries: z.number(),
  head: z.string(),
});

export const historyCommand: Run<EnvironmentOption> = async (options, context) => {
  const target = await loadTarget(options, context);
  await using link = await openLink(target, options, context);
  const history = historySchema.parse(await link.call("history", [target.environment.stack]));
  const rows = history.runs.map((run) => [run.began.replace("T", " ").slice(0, 19), run.kind, run.outcome, run.who, run.purpose]);
  const text = rows.length === 0 ? "Nothing was done on this stack yet." : table(["began (UTC)", "kind", "outcome", "who", "what"], rows);
  return { data: history, text: `${text}\n\nThe journal's ${history.entries} entries are unbroken; its head is ${history.head.slice(0, 16)}.` };
};

const logsSchema = z.object({ service: z.string(), container: z.string(), lines: z.array(z.string()) });

export const logsCommand: Run<EnvironmentOption & { readonly service: string; readonly lines: string }> = async (options, context) => {
  const target = await loadTarget(options, context);
  await using link = await openLink(target, options, context);
  const logs = logsSchema.parse(await link.call("logs", [target.environment.stack, options.service, options.lines]));
  return { data: logs, text: logs.lines.join("\n") };
};
