import type { Colour } from "../blueprint/stack.ts";
import { addressesOf, containerOf, platformContainer } from "./colour-view.ts";
import { HTTP_PORT } from "./probes/probe.ts";
import type { SwapDeps } from "./swap-deps.ts";

const ZEROS = 3;
const POLL_MILLISECONDS = 50;

export interface Drained {
  /** Requests still running when the time was over. */
  readonly left: number;
  readonly milliseconds: number;
  /** Instant of the clock. */
  readonly ended: number;
}

/**
 * Waits until a colour has nothing in flight from the proxy. Traefik keeps no idle connections to it (maxIdleConnsPerHost -1), so an
 * established one is a running request; three readings in a row, because a request may be between two. Odoo's listen queue is short
 * (8 connections a worker): what the proxy is still trying to hand over while it is full counts too, else it would meet a stopped colour.
 */
export async function drain(deps: SwapDeps, colour: Colour, seconds: number, signal: AbortSignal): Promise<Drained> {
  const began = deps.clock.now();
  const edge = await platformContainer(deps, "edge");
  const peers = addressesOf(edge);
  let zeros = 0;
  for (;;) {
    const web = await containerOf(deps, colour, "web");
    const isRunning = web !== undefined && web.state === "running" && web.pid > 0;
    const taken = isRunning ? await deps.connections.established(web.pid, HTTP_PORT, peers) : 0;
    const waiting = isRunning && edge !== undefined && edge.pid > 0 ? await deps.connections.dialling(edge.pid, HTTP_PORT, addressesOf(web)) : 0;
    const left = taken + waiting;
    const milliseconds = deps.clock.now() - began;
    zeros = left === 0 ? zeros + 1 : 0;
    const ended = deps.clock.now();
    if (!isRunning || zeros === ZEROS) return { left: 0, milliseconds, ended };
    if (left > 0 && milliseconds >= seconds * 1000) return { left, milliseconds, ended };
    await deps.clock.sleep(POLL_MILLISECONDS, signal);
  }
}
