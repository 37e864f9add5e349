import type { Colour } from "../blueprint/stack.ts";
import { colourProbes } from "./colour-probes.ts";
import { containerOf, targetOf } from "./colour-view.ts";
import { type ProbeResult, runProbes } from "./probes/probe.ts";
import type { SwapDeps } from "./swap-deps.ts";

/** Asks a colour everything once, directly: whoever stands at the front door is not meant. Returns what fails; undefined when there is nothing to ask. */
export async function probeColour(
  deps: Pick<SwapDeps, "stack" | "docker" | "http" | "psql" | "secret" | "clock" | "events">,
  colour: Colour,
): Promise<readonly ProbeResult[] | undefined> {
  if ((await containerOf(deps, colour, "web"))?.state !== "running") return undefined;
  const target = await targetOf(deps, colour);
  return (await runProbes(colourProbes(deps, target), colour, deps.clock, deps.events)).filter(({ verdict }) => verdict === "fail");
}
