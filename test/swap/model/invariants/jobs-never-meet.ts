import { COLOURS } from "../../../../src/blueprint/stack.ts";
import { STACK } from "../../../deploy/fixture-stack.ts";
import type { Machine } from "../machine.ts";

/** Watches a machine for an instant in which old and new code run scheduled jobs side by side; returns what it has seen. */
export function watchJobs(machine: Machine): readonly string[] {
  const seen: string[] = [];
  machine.engine.onChange = () => {
    const running = COLOURS.filter((colour) => machine.engine.of(`${STACK}-${colour}`).some(({ service, state }) => service === "cron" && state === "running"));
    if (running.length < 2 || seen.length > 0) return;
    seen.push(`after ${(machine.clock.elapsed / 1000).toFixed(3)} s the scheduled jobs of both colours ran side by side`);
    machine.trace.push(`— ${seen[0]}`);
  };
  return seen;
}
