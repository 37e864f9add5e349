import type { Colour } from "../blueprint/stack.ts";
import { timestamp } from "../kernel/clock.ts";
import { messageOf } from "../kernel/errors.ts";
import { addressesOf, containerOf, platformContainer } from "./colour-view.ts";
import { CUT_CONNECTIONS, cutSoFar } from "./cut-connections.ts";
import { WEBSOCKET_PORT } from "./probes/probe.ts";
import type { SwapContext } from "./swap-context.ts";

/** As many as may come back together: browsers themselves spread them over no more than a second. */
const A_SECOND = 20;
const LONGEST_SECONDS = 30;

/** How many websockets are cut in a second, so that the last goes after half a minute at the latest. Pure. */
export function websocketPace(websockets: number): number {
  return Math.max(A_SECOND, Math.ceil(websockets / LONGEST_SECONDS));
}

/**
 * Cuts the websockets of a colour that users have left, little by little: each browser connects anew by itself, to the colour that serves,
 * and all of them do so within a second if they are cut together. Where that cannot be done they are left to the stop. Gives how many
 * were moved.
 */
export async function moveWebsockets(context: SwapContext, colour: Colour, stepId: string, signal: AbortSignal): Promise<number> {
  const [web, edge] = [await containerOf(context, colour, "web"), await platformContainer(context, "edge")];
  const peers = addressesOf(edge);
  if (web === undefined || web.state !== "running" || web.pid === 0 || peers.length === 0) return 0;
  const total = await context.connections.established(web.pid, WEBSOCKET_PORT, peers);
  if (total <= A_SECOND) return 0;
  const pace = websocketPace(total);
  note(context, `${total} websockets leave ${colour}, ${pace} a second.`);
  let moved = 0;
  let said = "";
  const onLine = (line: string): void => {
    said = line;
    moved = cutSoFar(line) ?? moved;
    if (cutSoFar(line) !== undefined)
      context.events.emit({ kind: "progress", at: timestamp(context.clock), id: stepId, done: Math.min(moved, total), total, unit: "steps" });
  };
  try {
    // The image that the colour itself runs: it is there, and Odoo's has Python, where the kernel's tools may be missing.
    await using bench = await context.docker.workbench({
      image: web.image,
      words: ["python3", "-I", "-S", "-B", "-c", CUT_CONNECTIONS, String(WEBSOCKET_PORT), String(pace), ...peers],
      user: "0:0",
      network: { of: web.id },
    });
    const code = await bench.run(onLine, signal);
    if (code !== 0) leftToTheStop(context, colour, said === "" ? `it ended with ${code}` : said);
  } catch (error) {
    signal.throwIfAborted();
    // An engine that is away fails the stop as well, which is tried again.
    leftToTheStop(context, colour, messageOf(error));
  }
  return moved;
}

function leftToTheStop(context: SwapContext, colour: Colour, why: string): void {
  note(context, `The websockets of ${colour} cannot be moved little by little and reconnect all at once: ${why}`);
}

function note(context: SwapContext, text: string): void {
  context.events.emit({ kind: "note", at: timestamp(context.clock), level: "info", text });
}
