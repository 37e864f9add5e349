import { MillwrightError } from "../kernel/errors.ts";
import type { MillwrightEvent } from "../kernel/events.ts";

const OVER =
  "The old host is fenced, and whole. Mend the cause and run `millwright failover` again; or `millwright host fence --lift` starts the plant there again.";
/** A plant that is started on the old host beside one that is promoted after all cannot be put together with it again. */
const OPEN =
  "The takeover may go on, or be done already: do not start the plant on the old host. `millwright follow --standby` tells how it ends; then run `millwright failover` again.";

/** What a takeover that did not end well means for the plant, which is down on both hosts; `ended` is what its run has told of its end, if it has. Pure. */
export function notTakenOver(problem: MillwrightError, ended: Extract<MillwrightEvent, { kind: "ended" }> | undefined): MillwrightError {
  const isOver = ended?.outcome === "undone" && ended.result?.["isPromoted"] !== true;
  return new MillwrightError(problem.code, problem.message, {
    ...(problem.subject === undefined ? {} : { subject: problem.subject }),
    hint: isOver ? OVER : OPEN,
    details: problem.details,
    cause: problem,
  });
}
