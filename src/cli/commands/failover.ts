import { readFile } from "node:fs/promises";
import * as z from "zod";
import { writeDurable } from "../../kernel/durable-file.ts";
import { asMillwrightError, MillwrightError } from "../../kernel/errors.ts";
import type { MillwrightEvent } from "../../kernel/events.ts";
import type { Plan } from "../../kernel/plan.ts";
import { readRelease } from "../../release/read-release.ts";
import { exchangeRecipients } from "../../secrets/exchange-recipients.ts";
import { exchangeHosts } from "../../site/exchange-hosts.ts";
import { standbyOf } from "../../site/standby.ts";
import { askPlanOf } from "../ask-plan.ts";
import { confirmByName, confirmPoweredOff } from "../confirm.ts";
import type { CliContext } from "../context.ts";
import { describePlan } from "../describe-plan.ts";
import { endedRunSchema } from "../ended-run.ts";
import { type HostLink, openLink, watchRun } from "../host-link.ts";
import { readSeenHeads, writeSeenHeads } from "../journal-heads.ts";
import { inTurn } from "../in-turn.ts";
import { notTakenOver } from "../not-taken-over.ts";
import type { CommonOptions, Run } from "../program.ts";
import { type EnvironmentOption, loadTarget, type Target } from "../target.ts";
import { backupRunCommand } from "./backup.ts";
import { deployCommand } from "./deploy.ts";
import { upgradeCommand } from "./upgrade.ts";

interface Options extends EnvironmentOption {
  readonly release?: string;
  readonly poweredOff?: string;
  readonly confirm?: string;
  readonly dryRun?: boolean;
}

/** The second is what a jump host says of a host that is off. */
const NO_ANSWER: readonly string[] = ["HOST_UNREACHABLE", "JUMP_REFUSED"];

const signSchema = z.object({ sign: z.string().optional() });
/** Which release served: as the host itself knows it, or as the newest backup does. */
const servedSchema = z.object({ served: z.string().optional() });
const heldSchema = z.object({ backup: z.object({ release: z.object({ id: z.string() }) }).optional() });

/**
 * The standby becomes the host, by a person's word and never by itself: of two machines neither can tell a dead other from a cut line. The old host is
 * fenced first. Each part is a run, or a command, of its own, and can be done again; once the database is promoted there is only the way forward.
 */
export const failoverCommand: Run<Options> = async (options, context) => {
  const target = await loadTarget(options, context);
  const { stack, host } = target.environment;
  const second: Target = { site: target.site, environment: standbyOf(target.environment) };
  const heir = second.environment.host.address;

  context.output.say(`Asking ${heir} what it has, and ${host.address} whether it still answers …`);
  await using link = await openLink(second, options, context);
  const takeover = await askPlanOf(link, "backup-plan", stack, { kind: "takeover" });
  await using old = await reach(target, options, context);
  const fence = old.link === undefined ? undefined : await askPlanOf(old.link, "backup-plan", stack, { kind: "fence" });
  const known = servedSchema.parse(fence?.plan.context ?? {}).served ?? heldSchema.parse(takeover.plan.context).backup?.release.id;
  const release = await readRelease(target.site.files.releases, options.release ?? known ?? unknownRelease());

  const lines = [
    ...(fence === undefined ? [] : [`On ${host.address}:`, describePlan(fence.plan, fence.notes)]),
    `On ${heir}:`,
    describePlan(takeover.plan, takeover.notes),
    `Then site.yaml gets ${heir} as its host and ${host.address} as the standby, and there follow \`deploy\`, \`upgrade --release ${release.id}\` and \`backup run --full\`: each can be run again by itself.`,
  ];
  const text = lines.join("\n");
  if (options.dryRun === true) return { data: { takeover: takeover.plan, fence: fence?.plan ?? null, release: release.id, changed: false }, text };
  context.output.say(text);
  if (fence === undefined) {
    context.output.warn(
      `${host.address} does not answer (${old.problem?.message ?? ""}), so it cannot be fenced from here. If it runs, two plants take orders, and neither has all of them. Power it off, by its hypervisor or its button, and see that it is off.`,
    );
    await confirmPoweredOff(host.address, options.poweredOff, context);
  }
  await confirmByName(`Make ${heir} the host of ${stack}?`, stack, options.confirm, context);

  const parts: Record<string, unknown> = {};
  if (old.link === undefined || fence === undefined) parts["takeover"] = await carryOut(link, stack, takeover.plan, context);
  else {
    const ended = await carryOut(old.link, stack, fence.plan, context);
    parts["fence"] = ended;
    parts["takeover"] = await takeOverAll(link, stack, signSchema.parse(ended["result"] ?? {}), context);
  }
  await exchange(target, second);
  const agreed = { ...options, yes: true };
  const { data, text: backedUp } = await inTurn(context.output, [
    ["deploy", () => deployCommand(agreed, context)],
    ["upgrade", () => upgradeCommand({ ...agreed, release: release.id }, context)],
    ["backup run", () => backupRunCommand({ ...agreed, full: true }, context)],
  ]);
  context.output.say(backedUp);
  const next =
    fence === undefined
      ? `Before ${host.address} is switched on again, read docs/standby.md: it must not serve beside this one.`
      : `${host.address} is fenced. Make it the standby: millwright deploy --standby --rebuild`;
  return {
    data: { ...parts, ...data },
    text: `${heir} serves ${stack} now: commit site.yaml and secrets/recipients.yaml, and lead the name ${target.environment.domain} to it.\n${next}`,
  };
};

interface Reached extends AsyncDisposable {
  readonly link?: HostLink;
  /** Why there is none. */
  readonly problem?: MillwrightError;
}

/** A host that does not answer is what a failover is for; one that refuses the key, or shows another, is not. */
async function reach(target: Target, options: CommonOptions, context: CliContext): Promise<Reached> {
  try {
    const link = await openLink(target, options, context);
    return { link, [Symbol.asyncDispose]: async () => await link[Symbol.asyncDispose]() };
  } catch (error) {
    const problem = asMillwrightError(error);
    if (!NO_ANSWER.includes(problem.code)) throw problem;
    return { problem, [Symbol.asyncDispose]: async () => {} };
  }
}

function unknownRelease(): never {
  throw new MillwrightError("ANSWER_MISSING", "Neither the host nor the offsite repository answers, so nobody knows which release served.", {
    hint: "Name it: add --release <id>; `millwright release list` shows those of the site.",
  });
}

async function carryOut(
  link: HostLink,
  stack: string,
  plan: Plan,
  context: CliContext,
  onEvent?: (event: MillwrightEvent) => void,
): Promise<z.infer<typeof endedRunSchema>> {
  const run = endedRunSchema.parse(await watchRun(link, "backup", [stack, plan.id], context, onEvent));
  context.output.say(run.summary);
  return run;
}

/** The standby must have all that the fenced host has; else the plant goes on nowhere, and is whole there. */
async function takeOverAll(link: HostLink, stack: string, { sign }: z.infer<typeof signSchema>, context: CliContext): Promise<unknown> {
  let ended: Extract<MillwrightEvent, { kind: "ended" }> | undefined;
  try {
    const { plan } = await askPlanOf(link, "backup-plan", stack, { kind: "takeover", ...(sign === undefined ? {} : { sign }) });
    return await carryOut(link, stack, plan, context, (event) => {
      if (event.kind === "ended") ended = event;
    });
  } catch (error) {
    throw notTakenOver(asMillwrightError(error), ended);
  }
}

/** From the promotion on this is how it is, so it is written before anything else may fail. */
async function exchange(target: Target, second: Target): Promise<void> {
  const { site, environment } = target;
  const [heads, others] = [await readSeenHeads(target), await readSeenHeads(second)];
  await writeDurable(site.files.site, exchangeHosts(await readFile(site.files.site, "utf8"), environment.name));
  await exchangeRecipients(site.directory, environment.name);
  await writeSeenHeads(target, others);
  await writeSeenHeads(second, heads);
}
