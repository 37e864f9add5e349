import type { Colour } from "../blueprint/stack.ts";
import type { MillwrightEvent } from "../kernel/events.ts";
import { quantileSeconds, type Traffic } from "./metrics.ts";
import type { Baseline, Round } from "./series.ts";

type TrafficEvent = Extract<MillwrightEvent, { kind: "traffic" }>;

interface Watched {
  readonly colour: Colour;
  readonly round: Round;
  /** When the colour's counts began, in milliseconds since the epoch. */
  readonly switchedAt: number;
  readonly baseline: Baseline | undefined;
}

/** A round's traffic beside that of the old release, for whoever watches; undefined when the proxy's counts could not be read. */
export function trafficEvent({ colour, round, switchedAt, baseline }: Watched): TrafficEvent | undefined {
  if (round.traffic === undefined) return undefined;
  const seconds = (Date.parse(round.at) - switchedAt) / 1000;
  const now = sideOf(colour, seconds, round.traffic);
  const beside = round.old === undefined ? {} : { beside: sideOf(colour === "blue" ? "green" : "blue", seconds, round.old) };
  const before = baseline?.traffic === undefined ? {} : { before: sideOf(baseline.colour, baseline.seconds, baseline.traffic) };
  return { kind: "traffic", at: round.at, now, ...beside, ...before };
}

function sideOf(colour: Colour, seconds: number, traffic: Traffic): TrafficEvent["now"] {
  const p95 = quantileSeconds(traffic, 0.95);
  const { requests, errors } = traffic;
  return { colour, seconds: Math.round(seconds), requests, errors, ...(p95 === undefined ? {} : { p95Milliseconds: Math.round(p95 * 1000) }) };
}
