import type { StackFacts } from "../blueprint/stack.ts";
import type { ProbeVerdict } from "./probes/probe.ts";

export type ProbeRules = StackFacts["swap"]["rules"]["probes"];

/** One probe over many looks. A single look decides nothing. */
export interface ProbeHistory {
  /** `unsettled` from a first failure on, until enough failures or enough good answers in a row have come. */
  readonly state: "passing" | "failing" | "unsettled";
  readonly looks: number;
  readonly failures: number;
  /** Failures in a row up to now. */
  readonly failedRow: number;
  /** Changes between good and bad within the window. */
  readonly changes: number;
  readonly isFlapping: boolean;
}

/** What a probe has come to after these looks, oldest first. Looks that could not see (`unknown`) count neither way. Pure. */
export function probeHistory(looks: readonly ProbeVerdict[], rules: ProbeRules): ProbeHistory {
  const seen = looks.filter((look) => look !== "unknown");
  let state: ProbeHistory["state"] = "passing";
  let [failedRow, passedRow] = [0, 0];
  for (const look of seen) {
    if (look === "fail") {
      [failedRow, passedRow] = [failedRow + 1, 0];
      if (failedRow >= rules.failAfter) state = "failing";
      else if (state === "passing") state = "unsettled";
    } else {
      [failedRow, passedRow] = [0, passedRow + 1];
      if (passedRow >= rules.passAfter) state = "passing";
    }
  }
  const window = seen.slice(-rules.window);
  const changes = window.filter((look, index) => index > 0 && look !== window[index - 1]).length;
  return { state, looks: seen.length, failures: seen.filter((look) => look === "fail").length, failedRow, changes, isFlapping: changes >= rules.flaps };
}
