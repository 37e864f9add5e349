import { messageOf } from "../kernel/errors.ts";
import { colourProbes } from "./colour-probes.ts";
import { targetOf } from "./colour-view.ts";
import { lookAtFront } from "./front.ts";
import type { Http } from "./http.ts";
import { fail, type Probe, type ProbeResult, runProbesInTurn } from "./probes/probe.ts";
import { routeProbe } from "./probes/route.ts";
import type { SwapDeps } from "./swap-deps.ts";
import type { Active } from "./traffic.ts";

/**
 * A function that asks a colour everything, directly and through the front door, each time it is called. The probes are kept while the
 * colour's address stays: one that logs in does so once.
 */
export function allProbes(deps: SwapDeps, active: Active, frontHttp: Http): () => Promise<readonly ProbeResult[]> {
  const door = { http: frontHttp, stack: deps.stack };
  const front: readonly Probe[] = [
    { name: "front door", look: async () => (await lookAtFront(door, { expected: active, page: true })).finding },
    ...deps.stack.facts.swap.rules.traffic.routes.map((path) => routeProbe(door, path)),
  ];
  let known: { readonly address: string; readonly probes: readonly Probe[] } | undefined;
  const direct = async (): Promise<readonly Probe[]> => {
    try {
      const target = await targetOf(deps, active.colour);
      if (known?.address !== target.address) known = { address: target.address, probes: colourProbes(deps, target) };
      return known.probes;
    } catch (error) {
      const problem = fail(messageOf(error));
      return [{ name: "web container", look: async () => problem }];
    }
  };
  return async () => await runProbesInTurn([...(await direct()), ...front], active.colour, deps.clock, deps.events);
}
