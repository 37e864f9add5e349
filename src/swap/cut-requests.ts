import type { Colour } from "../blueprint/stack.ts";
import { stampOf } from "../docker/log-lines.ts";
import { timestamp } from "../kernel/clock.ts";
import { platformContainer } from "./colour-view.ts";
import type { Drained } from "./drain.ts";
import { type EndedRequest, endedRequests } from "./ended-requests.ts";
import { writeEvidence } from "./evidence.ts";
import type { SwapContext } from "./swap-context.ts";

/** What the proxy writes in some ten seconds of a busy plant; it writes of a cut request when the colour stops. */
const LOG_LINES = 5000;
/** Between the end of a request and its line in the engine's log. */
const LOG_MILLISECONDS = 2000;
const POLL_MILLISECONDS = 100;
const NAMED = 5;

/** Says which requests that outlasted a drain were cut off when their colour stopped; some may have ended in its grace. */
export async function tellCutRequests(context: SwapContext, colour: Colour, drained: Drained): Promise<void> {
  if (drained.left === 0) return;
  const ended = await endedSince(context, colour, drained);
  const cut = ended.filter(({ isCut }) => isCut);
  const untold = Math.max(0, drained.left - ended.length);
  if (cut.length + untold === 0) return;
  await writeEvidence(context, `cut-${colour}`, { colour, requests: cut, untold });
  context.events.emit({ kind: "note", at: timestamp(context.clock), level: "warning", text: describeCut(colour, cut, untold) });
}

async function endedSince(context: SwapContext, colour: Colour, { left, ended, milliseconds }: Drained): Promise<readonly EndedRequest[]> {
  const { clock, docker } = context;
  const deadline = clock.now() + LOG_MILLISECONDS;
  for (;;) {
    const edge = await platformContainer(context, "edge");
    const lines = edge === undefined ? [] : await docker.logsSince(edge.id, stampOf(ended), LOG_LINES);
    const found = endedRequests(lines, colour, ended - milliseconds);
    if (found.length >= left || clock.now() >= deadline) return found;
    await clock.sleep(POLL_MILLISECONDS);
  }
}

/** The cut requests in words, the longest first. Pure. */
export function describeCut(colour: Colour, cut: readonly EndedRequest[], untold: number): string {
  const sorted = [...cut].sort((a, b) => b.seconds - a.seconds);
  const named = sorted.slice(0, NAMED).map(({ method, path, seconds }) => `${method} ${path} after ${Math.round(seconds)} s`);
  const more = cut.length > NAMED ? [`${cut.length - NAMED} more`] : [];
  const told = cut.length === 0 ? [] : [`Cut off when ${colour} was stopped, ${cut.length} in all: ${[...named, ...more].join(", ")}.`];
  const rest = untold === 0 ? [] : [`Of ${untold} that outlasted the drain on ${colour} the proxy's log does not tell the end.`];
  return [...told, ...rest].join(" ");
}
