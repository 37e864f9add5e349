import { observeDrift } from "../../deploy/prepare-deploy.ts";
import { currentStack, readStack } from "../../deploy/stack-store.ts";
import { thisMachine } from "../../observe/machine.ts";
import { readLogs } from "../../observe/read-logs.ts";
import { TIMER_PATTERNS, timersToCome } from "../../observe/schedule.ts";
import { readStatus } from "../../observe/status.ts";
import { readPair } from "../../recovery/following.ts";
import { readArchiving } from "../../recovery/archiving.ts";
import { readPreview } from "../../swap/preview-file.ts";
import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { journalView } from "../journal-view.ts";
import { deployDeps, knowSecrets } from "../room-deps.ts";
import { readLock } from "../run-lock.ts";
import { isUnitActive } from "../run-unit.ts";
import { readTrouble } from "../run-trouble.ts";
import type { Handler } from "../serve.ts";
import { stepUnderWay } from "../step-under-way.ts";

/** Everything about the stack in one answer. */
export function statusVerb(deps: AgentDeps): Handler<"status"> {
  return async ({ args }) => {
    const room = deployDeps(deps, args.stack);
    const { paths } = storeOf(deps, args.stack);
    const status = await readStatus({
      stack: args.stack,
      paths,
      docker: room.docker,
      clock: deps.clock,
      machine: thisMachine,
      current: async () => {
        const id = await currentStack(paths);
        return id === undefined ? undefined : { id, facts: async () => (await readStack(paths, id)).facts };
      },
      drift: async () => (await observeDrift(room)).map(({ subject, text }) => ({ subject, text })),
      run: async () => {
        const lock = await readLock(paths);
        if (lock === undefined) return undefined;
        const { run, who, reason, since } = lock;
        const trouble = await readTrouble(paths, run);
        const told = trouble === undefined ? {} : { trouble: { times: trouble.times, at: trouble.at, message: trouble.message } };
        const step = await stepUnderWay(paths, run);
        const preview = await readPreview(paths, run);
        const waits = preview === undefined ? {} : { preview: { since: preview.since, until: preview.until } };
        return { run, who, reason, since, ...(step === undefined ? {} : { step }), ...waits, isActive: await isUnitActive(deps.shell, args.stack), ...told };
      },
      archiving: (hasOffsite) => readArchiving(room.docker, args.stack, hasOffsite),
      pair: (facts) => readPair(room.docker, args.stack, facts),
      journal: async () => await journalView(paths),
      timers: async () => timersToCome((await deps.shell.run(["systemctl", "list-timers", "--output=json", ...TIMER_PATTERNS])).stdout),
    });
    return { result: status };
  };
}

export function logsVerb(deps: AgentDeps): Handler<"logs"> {
  return async ({ args }) => {
    const room = deployDeps(deps, args.stack);
    await knowSecrets(room);
    return { result: await readLogs(room, args.service, Number(args.lines)) };
  };
}
