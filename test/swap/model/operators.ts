import type { PreparedDeploy } from "../../../src/deploy/prepare-deploy.ts";
import { asMillwrightError, type MillwrightError } from "../../../src/kernel/errors.ts";
import type { PreparedSwap } from "../../../src/swap/prepare-swap.ts";
import { STACK } from "../../deploy/fixture-stack.ts";
import type { Machine } from "./machine.ts";
import type { MachineProcess } from "./process.ts";
import { type ReleaseName, RELEASES, type StackName, STACKS } from "./releases.ts";

/** What people ask of the agent. */
export type Operation =
  | {
      readonly do: "upgrade";
      readonly release: ReleaseName;
      /** Seconds that it waits for a person's go; without them it waits for nobody. */
      readonly preview?: number | undefined;
    }
  | { readonly do: "rollback" }
  | { readonly do: "deploy"; readonly stack: StackName }
  | { readonly do: "resume" }
  | { readonly do: "abort" };

/** What somebody was told in the end. */
export interface Answer {
  readonly who: string;
  readonly operation: Operation;
  readonly result?: unknown;
  readonly error?: MillwrightError;
  /** What the verb itself did on the disk and in the engine. */
  readonly changes: readonly string[];
}

/** Somebody asks for something: a process of its own, whose end is told unless it dies before. */
export function operate(machine: Machine, who: string, operation: Operation, onAnswer: (answer: Answer) => void): MachineProcess {
  return machine.spawn(who, async ({ changes }) => {
    try {
      onAnswer({ who, operation, result: await perform(machine, who, operation), changes });
      return 0;
    } catch (error) {
      const problem = asMillwrightError(error);
      onAnswer({ who, operation, error: problem, changes });
      return problem.exit;
    }
  });
}

async function perform(machine: Machine, who: string, operation: Operation): Promise<unknown> {
  switch (operation.do) {
    case "upgrade": {
      const preview = operation.preview === undefined ? {} : { preview: { seconds: operation.preview } };
      const payload = { release: RELEASES[operation.release].release, ...preview };
      const { plan } = (await machine.call("upgrade-plan", [STACK], who, payload)) as PreparedSwap;
      return plan.steps.length === 0 ? undefined : await machine.call("upgrade", [STACK, plan.id], who);
    }
    case "rollback": {
      const { plan } = (await machine.call("rollback-plan", [STACK], who)) as PreparedSwap;
      return await machine.call("rollback", [STACK, plan.id], who);
    }
    case "deploy": {
      const now = new Date(machine.clock.now()).toISOString();
      const { plan } = (await machine.call("plan", [STACK], who, { stack: STACKS[operation.stack], now })) as PreparedDeploy;
      return plan.steps.length === 0 ? undefined : await machine.call("deploy", [STACK, plan.id], who);
    }
    case "resume":
      return await machine.call("resume", [STACK], who);
    case "abort":
      return await machine.call("abort", [STACK], who);
  }
}
