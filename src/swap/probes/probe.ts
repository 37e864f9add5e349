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

/** Carries probes out side by side. A probe that throws has got no answer, which is a failure of what it looks at. */
export async function runProbes(probes: readonly Probe[], colour: Colour, clock: Clock, events: Events): Promise<readonly ProbeResult[]> {
  return await Promise.all(
    probes.map(async (probe) => {
      const began = clock.now();
      let finding: Finding;
      try {
        finding = await probe.look();
      } catch (error) {
        finding = fail(messageOf(error));
      }
      const result = { ...finding, detail: redact(finding.detail), name: probe.name, at: timestamp(clock), milliseconds: clock.now() - began };
      events.emit({
        kind: "probe",
        at: result.at,
        colour,
        name: probe.name,
        verdict: result.verdict,
        detail: result.detail,
        milliseconds: result.milliseconds,
      });
      return result;
    }),
  );
}

/** The start of a body, for evidence and messages: one line, short. */
export function excerpt(body: string, length = 160): string {
  const line = body.replace(/\s+/g, " ").trim();
  return line.length > length ? `${line.slice(0, length)}…` : line;
}
