import type { Colour } from "../blueprint/stack.ts";
import { containerOf, platformContainer } from "./colour-view.ts";
import { HTTP_PORT } from "./probes/probe.ts";
import type { SwapDeps } from "./swap-deps.ts";

const ZEROS = 3;
const POLL_MILLISECONDS = 50;

export interface Drained {
  /** Requests still running when the time was over. */
  readonly left: number;
  readonly milliseconds: number;
}

/**
 * Waits until a colour has nothing in flight from the proxy. Traefik keeps no idle connections to it (maxIdleConnsPerHost -1), so an
 * established one is a running request; three readings in a row, because a request may be between two.
 */
export async function drain(deps: SwapDeps, colour: Colour, seconds: number, signal: AbortSignal): Promise<Drained> {
  const began = deps.clock.now();
  const peers = Object.values((await platformContainer(deps, "edge"))?.addresses ?? {}).filter((address) => address !== "");
  let zeros = 0;
  for (;;) {
    const web = await containerOf(deps, colour, "web");
    const isRunning = web !== undefined && web.state === "running" && web.pid > 0;
    const left = isRunning ? await deps.connections.established(web.pid, HTTP_PORT, peers) : 0;
    const milliseconds = deps.clock.now() - began;
    zeros = left === 0 ? zeros + 1 : 0;
    if (!isRunning || zeros === ZEROS) return { left: 0, milliseconds };
    if (left > 0 && milliseconds >= seconds * 1000) return { left, milliseconds };
    await deps.clock.sleep(POLL_MILLISECONDS, signal);
  }
}
