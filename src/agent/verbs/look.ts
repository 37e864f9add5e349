import { observeDrift } from "../../deploy/prepare-deploy.ts";
import { currentStack, readStack } from "../../deploy/stack-store.ts";
import { thisMachine } from "../../observe/machine.ts";
import { readLogs } from "../../observe/read-logs.ts";
import { readStatus } from "../../observe/status.ts";
import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { verifyJournal } from "../journal-file.ts";
import { lastRuns } from "../last-runs.ts";
import { deployDeps, knowSecrets } from "../room-deps.ts";
import { readLock } from "../run-lock.ts";
import type { Handler } from "../serve.ts";

const SHOWN_RUNS = 5;

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
        return id === undefined ? undefined : { id, facts: (await readStack(paths, id)).facts };
      },
      drift: async () => (await observeDrift(room)).map(({ subject, text }) => ({ subject, text })),
      run: async () => {
        const lock = await readLock(paths);
        return lock === undefined ? undefined : { run: lock.run, who: lock.who, reason: lock.reason, since: lock.since };
      },
      lastRuns: async () => [...lastRuns((await verifyJournal(paths.journal)).entries, SHOWN_RUNS)],
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
