import * as z from "zod";
import { silentEvents } from "../../kernel/events.ts";
import { readBackupRecords } from "../../recovery/backup-record.ts";
import { readDrillRecord } from "../../recovery/drill-record.ts";
import { knownBackups } from "../../recovery/known-backups.ts";
import { POINT_NAME, readPoints } from "../../recovery/point-record.ts";
import { signOfLife } from "../../recovery/plan-recovery.ts";
import { prepareRecovery, recoveryBasis } from "../../recovery/prepare-recovery.ts";
import { placeSchema } from "../../recovery/repositories.ts";
import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { checkPayload } from "../payload.ts";
import { recoveryDeps } from "../room-deps.ts";
import { savePlan } from "../run-store.ts";
import type { Handler } from "../serve.ts";
import { startRunVerb } from "./start-run.ts";

const from = placeSchema.default("local");
const requestSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("backup"), full: z.boolean() }),
  z.strictObject({ kind: z.literal("point"), name: z.string().regex(POINT_NAME) }),
  z.strictObject({ kind: z.literal("verify"), wholeFiles: z.boolean(), from }),
  z.strictObject({ kind: z.literal("drill"), from }),
  z.strictObject({ kind: z.literal("fence"), lift: z.boolean().default(false), mustEnd: z.boolean().default(false) }),
  z.strictObject({ kind: z.literal("takeover"), sign: signOfLife.optional() }),
  z.strictObject({
    kind: z.literal("restore"),
    isBeside: z.boolean(),
    from,
    to: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("now") }),
      z.strictObject({ kind: z.literal("time"), at: z.iso.datetime({ offset: true }) }),
      z.strictObject({ kind: z.literal("backup"), id: z.string().max(40) }),
      z.strictObject({ kind: z.literal("point"), name: z.string().regex(POINT_NAME) }),
      z.strictObject({ kind: z.literal("release"), id: z.string().max(64) }),
    ]),
  }),
]);

export function backupPlanVerb(deps: AgentDeps): Handler<"backup-plan"> {
  return async (call) => {
    const asked = checkPayload(requestSchema, call.payload);
    const request = asked.kind === "backup" ? { ...asked, bySchedule: false } : asked;
    const prepared = await prepareRecovery(await recoveryDeps(deps, call.args.stack, call), request);
    await savePlan(storeOf(deps, call.args.stack), prepared.plan);
    return { result: prepared };
  };
}

export function backupVerb(deps: AgentDeps): Handler<"backup"> {
  return startRunVerb(
    deps,
    ["backup", "point", "verify", "drill", "restore", "fence", "takeover"],
    async (stack) => await recoveryBasis(await recoveryDeps(deps, stack, { who: "", events: silentEvents })),
  );
}

/** What there is to restore, and what the last drill of each place measured. */
export function backupsVerb(deps: AgentDeps): Handler<"backups"> {
  return async (call) => {
    const { paths } = storeOf(deps, call.args.stack);
    const own = await readBackupRecords(paths);
    const backups = own.length > 0 ? own : await knownBackups(await recoveryDeps(deps, call.args.stack, call), "local");
    const [drill, offsiteDrill] = [await readDrillRecord(paths, "local"), await readDrillRecord(paths, "offsite")];
    return { result: { backups, points: await readPoints(paths), drill: drill ?? null, offsiteDrill: offsiteDrill ?? null } };
  };
}
