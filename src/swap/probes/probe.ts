import { type Clock, timestamp } from "../../kernel/clock.ts";
import { messageOf } from "../../kernel/errors.ts";
import type { Events } from "../../kernel/events.ts";
import { redact } from "../../kernel/secret.ts";
import type { Colour } from "../../blueprint/stack.ts";
import type { HttpRequest, Http } from "../http.ts";

/** `unknown` when the probe could not look: it neither speaks for the colour nor against it. */
export type ProbeVerdict = "pass" | "fail" | "unknown";

export interface Finding {
  readonly verdict: ProbeVerdict;
  readonly detail: string;
  readonly evidence?: Readonly<Record<string, unknown>>;
  /** Of a failure: the colour did answer, only wrongly. That is no start that takes its time. */
  readonly answered?: boolean;
}

export interface ProbeResult extends Finding {
  readonly name: string;
  readonly at: string;
  readonly milliseconds: number;
}

/** One truthful check. */
export interface Probe {
  readonly name: string;
  look(): Promise<Finding>;
}

/** A colour's web container, asked directly as the proxy would ask it. */
export interface Target {
  readonly http: Http;
  readonly colour: Colour;
  readonly address: string;
  readonly domain: string;
}

export const HTTP_PORT = 8069;
export const WEBSOCKET_PORT = 8072;
/** More than a slow page needs, less than a person waits. */
const TIMEOUT_MILLISECONDS = 10_000;

/**
 * A request as Traefik would pass it on. X-Forwarded-Host is what makes Odoo believe the other two; without it a page would be built
 * for http and for the container's address.
 */
export function requestTo(target: Target, path: string, more: Partial<HttpRequest> = {}): HttpRequest {
  return {
    address: target.address,
    port: HTTP_PORT,
    path,
    timeoutMilliseconds: TIMEOUT_MILLISECONDS,
    ...more,
    headers: {
      Host: target.domain,
      "X-Forwarded-Host": target.domain,
      "X-Forwarded-Proto": "https",
      "X-Forwarded-For": "127.0.0.1",
      "User-Agent": "millwright-probe",
      ...more.headers,
    },
  };
}

export const pass = (detail: string, evidence?: Finding["evidence"]): Finding => ({ verdict: "pass", detail, ...(evidence === undefined ? {} : { evidence }) });
export const fail = (detail: string, evidence?: Finding["evidence"]): Finding => ({ verdict: "fail", detail, ...(evidence === undefined ? {} : { evidence }) });

/** Carries probes out side by side: for a colour that nobody uses. */
export async function runProbes(probes: readonly Probe[], colour: Colour, clock: Clock, events: Events): Promise<readonly ProbeResult[]> {
  return await Promise.all(probes.map((probe) => lookAt(probe, colour, clock, events)));
}

/** Who has not answered by then is not waited for: a colour that hangs is found out about as soon as if all asked at once. */
const TURN_MILLISECONDS = 250;

/**
 * Carries probes out one after the other: for a colour that people use. Asked all at once they would take each of its workers for as long as
 * the slowest takes, and people's requests would stand behind them.
 */
export async function runProbesInTurn(probes: readonly Probe[], colour: Colour, clock: Clock, events: Events): Promise<readonly ProbeResult[]> {
  const looks: Promise<ProbeResult>[] = [];
  for (const probe of probes) {
    const before = looks.at(-1);
    const turn = new AbortController();
    if (before !== undefined) await Promise.race([before, clock.sleep(TURN_MILLISECONDS, turn.signal)]);
    turn.abort();
    looks.push(lookAt(probe, colour, clock, events));
  }
  return await Promise.all(looks);
}

/** A probe that throws has got no answer, which is a failure of what it looks at. */
async function lookAt(probe: Probe, colour: Colour, clock: Clock, events: Events): Promise<ProbeResult> {
  const began = clock.now();
  let finding: Finding;
  try {
    finding = await probe.look();
  } catch (error) {
    finding = fail(messageOf(error));
  }
  const { name } = probe;
  const result = { ...finding, detail: redact(finding.detail), name, at: timestamp(clock), milliseconds: clock.now() - began };
  const { at, verdict, detail, milliseconds } = result;
  events.emit({ kind: "probe", at, colour, name, verdict, detail, milliseconds });
  return result;
}

/** The start of a body, for evidence and messages: one line, short. */
export function excerpt(body: string, length = 160): string {
  const line = body.replace(/\s+/g, " ").trim();
  return line.length > length ? `${line.slice(0, length)}…` : line;
}
