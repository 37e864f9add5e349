import { silentEvents } from "../kernel/events.ts";
import { readBackupRecords } from "../recovery/backup-record.ts";
import { clockDoubt } from "../recovery/clock-doubt.ts";
import { readDrillRecord } from "../recovery/drill-record.ts";
import { type Due, dueNow, type Past } from "../recovery/due.ts";
import { prepareRecovery, recoveryBasis, type RecoveryRequest } from "../recovery/prepare-recovery.ts";
import { readVerifyRecord } from "../recovery/verify-record.ts";
import { readServing } from "../swap/serving.ts";
import { type AgentDeps, storeOf } from "./agent-deps.ts";
import { journalView } from "./journal-view.ts";
import { recoveryDeps } from "./room-deps.ts";
import { readLock } from "./run-lock.ts";
import { beginRun, savePlan } from "./run-store.ts";
import { startUnit } from "./run-unit.ts";

const WHO = "schedule";

/** Begins the backup, the drill or the verification that is due, if any, as a run of its own, and returns it. Throws RUN_OPEN while another run is under way. */
export async function beginDue(deps: AgentDeps, stack: string): Promise<Due | undefined> {
  const store = storeOf(deps, stack);
  const { paths } = store;
  // Nothing to keep yet, or not the moment: no look at the engine for that.
  if ((await readServing(paths)) === undefined || (await readLock(paths)) !== undefined) return undefined;
  const room = await recoveryDeps(deps, stack, { who: WHO, events: silentEvents });
  const { runs } = await journalView(paths);
  const [drilledAt, verifiedAt] = [(await readDrillRecord(paths, "local"))?.at, (await readVerifyRecord(paths, "local"))?.at];
  const past = { records: await readBackupRecords(paths), drilledAt, verifiedAt, runs };
  const due = dueNow(room.stack.facts.backup, past, deps.clock.now());
  if (due === undefined) return undefined;
  const { plan } = await prepareRecovery(room, requestFor(due, past, deps.clock.now()));
  await savePlan(store, plan);
  await beginRun(store, { plan: plan.id, kinds: [due.kind], who: WHO, basisNow: () => recoveryBasis(room) });
  await startUnit(deps.shell, stack, "restart");
  return due;
}

function requestFor({ kind }: Due, past: Past, now: number): RecoveryRequest {
  switch (kind) {
    case "backup":
      return { kind, full: false, bySchedule: true, doubt: clockDoubt(past, now) };
    case "drill":
      return { kind, from: "local" };
    case "verify":
      return { kind, wholeFiles: false, from: "local" };
  }
}
