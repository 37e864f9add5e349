import { STACK } from "../../../deploy/fixture-stack.ts";
import { asMillwrightError } from "../../../../src/kernel/errors.ts";
import type { Rest } from "../rest.ts";

/** Whoever follows when nothing is under way is told the end of the last run, as the journal has it. */
export async function followTellsTheLastRun({ machine, journal }: Rest): Promise<readonly string[]> {
  const last = journal.at(-1);
  if (last === undefined) return [];
  const told = await machine.look(async () => {
    try {
      return (await machine.call("follow", [STACK], "somebody")) as { readonly run: string };
    } catch (error) {
      return asMillwrightError(error);
    }
  });
  const wasDone = last.detail["outcome"] === "done";
  if (wasDone) return "run" in told && told.run === last.run ? [] : [`follow does not tell the last run, ${last.run}, but ${JSON.stringify(told)}`];
  const error = last.detail["error"] as { readonly code: string } | undefined;
  return "code" in told && told.code === error?.code
    ? []
    : [`follow does not tell that run ${last.run} ended with ${String(error?.code)}, but ${JSON.stringify(told)}`];
}
