import { MillwrightError } from "../kernel/errors.ts";
import type { Plan } from "../kernel/plan.ts";
import type { Serving } from "../swap/serving.ts";
import type { BackupRecord } from "./backup-record.ts";
import { readFenced, readServed } from "./fenced.ts";
import { isDatabaseWell } from "./is-database-well.ts";
import type { Following } from "./following.ts";
import { newestOffsite } from "./known-backups.ts";
import { planFence, planLift, planTakeover } from "./plan-failover.ts";
import type { Head } from "./plan-recovery.ts";
import { isPromotionBegun } from "./promotion.ts";
import type { RecoveryDeps } from "./recovery-deps.ts";

interface Prepared {
  readonly plan: Plan;
  readonly notes: readonly string[];
}

const MUST_HAND_OVER =
  "If its files do not get to the offsite repository, the plant goes on here. To do without them, switch this host off: `millwright failover` then asks for its address";

/** Looks at what a host would give up, or take again. */
export async function prepareFence(
  deps: RecoveryDeps,
  head: Head,
  serving: Serving | undefined,
  { lift, mustEnd = false }: { readonly lift: boolean; readonly mustEnd?: boolean },
): Promise<Prepared> {
  const { stack, paths } = deps;
  const { standby } = stack.facts;
  if (standby === undefined)
    throw new MillwrightError("STANDBY_UNKNOWN", "No host follows this one, so the plant would end with it.", { subject: stack.facts.stack });
  const served = serving ?? (await readServed(paths));
  const fenced = await readFenced(paths);
  if (!lift) {
    const isWell = !mustEnd && (await isDatabaseWell(deps));
    const plan = planFence(head, serving?.colour, { served: served?.release, isWell, isAgain: fenced !== undefined, sign: fenced?.sign });
    const note = fenced === undefined ? `The plant is down from then on, until ${standby} has taken over` : `It is fenced since ${fenced.at}, and stays so`;
    return { plan, notes: isWell ? [note, MUST_HAND_OVER] : [note] };
  }
  if (fenced === undefined) throw new MillwrightError("STANDBY_ROLE", "This host is not fenced.", { subject: stack.facts.stack });
  return {
    plan: planLift(head, served?.colour, fenced.sign),
    notes: [`Only if ${standby} did not take over: two plants that both serve cannot be put together again`],
  };
}

/** Looks at what a standby has. */
export async function prepareTakeover(deps: RecoveryDeps, head: Head, sign?: string): Promise<Prepared> {
  const { follows } = deps.stack.facts;
  if (follows === undefined)
    throw new MillwrightError("STANDBY_ROLE", "This host follows no other, so there is nothing to take over.", { subject: deps.stack.facts.stack });
  const { backup, notes } = await lookOffsite(deps);
  const isBegun = await isPromotionBegun(deps.paths);
  return { plan: planTakeover(head, { backup, sign, isBegun }), notes: [...describeLoss(await deps.following()), ...notes] };
}

/** A takeover needs the database here and nothing else: what the repository does not tell is done without. */
async function lookOffsite(deps: RecoveryDeps): Promise<{ readonly backup?: BackupRecord; readonly notes: readonly string[] }> {
  try {
    const backup = await newestOffsite(deps);
    return backup === undefined ? { notes: ["The offsite repository tells of no backup"] } : { backup, notes: [] };
  } catch (error) {
    if (!(error instanceof MillwrightError)) throw error;
    return { notes: [`The offsite repository cannot be asked, so newer files and the release that served must be here already: ${error.message}`] };
  }
}

/** What a takeover now would lose, as far as this host can know. Pure. */
export function describeLoss(following: Following | undefined): readonly string[] {
  if (following === undefined) return ["The database here does not answer: what it has cannot be told"];
  const { isStreaming, lagSeconds, filesAt } = following;
  const log =
    lagSeconds === undefined ? "nothing has come over yet" : `the last sign of life that came over is ${lagSeconds} s old; what was written after it is lost`;
  return [`${isStreaming ? "It streams now" : "It does not stream now"}: ${log}`, `Files are as of ${filesAt ?? "no moment: they are not all here"}`];
}
