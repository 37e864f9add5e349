import type { Events } from "../kernel/events.ts";
import type { Plan } from "../kernel/plan.ts";
import type { RunOutcome, StepResult, StepTable } from "../kernel/run-plan.ts";

/** The code of one kind of plan, ready for `runPlan`. Made by `bindTable`. */
export interface RunTable {
  readonly table: StepTable<undefined>;
  readonly report?: RunReport;
}

/** Says what came of the run: one sentence, and data for `--json`. */
export type RunReport = (outcome: RunOutcome, resultOf: (step: string) => StepResult | undefined) => { readonly summary: string; readonly result?: StepResult };

/** What a room needs to know of the run it makes a table for. */
export interface RunPlace {
  readonly run: string;
  readonly who: string;
  /** The run's own folder: evidence goes here. */
  readonly directory: string;
  readonly events: Events;
}

export type RunTables = Readonly<Partial<Record<Plan["kind"], (plan: Plan, place: RunPlace) => Promise<RunTable>>>>;

/** A room's step table together with its context, so that tables of different contexts can stand in one list. */
export function bindTable<Context>(table: StepTable<Context>, context: Context, report?: RunReport): RunTable {
  const bound = Object.entries(table).map(([kind, code]) => [
    kind,
    {
      do: (_: undefined, ...rest: Parameters<typeof code.do> extends [unknown, ...infer Rest] ? Rest : never) => code.do(context, ...rest),
      ...(code.undo === undefined
        ? {}
        : {
            undo: async (_: undefined, ...rest: Parameters<typeof code.do> extends [unknown, ...infer Rest] ? Rest : never) =>
              await code.undo?.(context, ...rest),
          }),
    },
  ]);
  return { table: Object.fromEntries(bound) as StepTable<undefined>, ...(report === undefined ? {} : { report }) };
}
