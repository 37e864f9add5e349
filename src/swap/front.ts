import type { Colour } from "../blueprint/stack.ts";
import { type Clock, timestamp } from "../kernel/clock.ts";
import { messageOf, MillwrightError } from "../kernel/errors.ts";
import { platformContainer, targetOf } from "./colour-view.ts";
import type { Answer, Http, HttpRequest, ShownCertificate } from "./http.ts";
import { judgeLoginPage, loginPageProbe } from "./probes/login-page.ts";
import { fail, type Finding, pass } from "./probes/probe.ts";
import type { SwapDeps } from "./swap-deps.ts";
import { type Active, COLOUR_HEADER, SWITCH_HEADER } from "./traffic.ts";

const IN_A_ROW = 3;
/** A quarter of a second and the pages' own time: a worker that has just been replaced is back by then. */
const WRONG_IN_A_ROW = 10;
const PATIENCE_MILLISECONDS = 5000;
const POLL_MILLISECONDS = 25;

interface FrontDoor {
  /** The configuration that must answer; undefined for the one without a release. */
  readonly expected: Active | undefined;
  /** Whether the page must be good as well; while going back, who answers is all that counts. */
  readonly page: boolean;
  /** The release that was good before. While its own page is wrong as well, a wrong one is not the new release's doing. */
  readonly old?: Colour;
  readonly signal: AbortSignal;
}

/**
 * Proves through the published port that a configuration is in force: three answers in a row that carry its mark. A change that was not
 * seen after 5 s gets one SIGHUP, which makes Traefik read the folder again, and 5 s more. A page that is wrong ten times in a row under that
 * mark is not waited for: users see it too. Throws RELEASE_UNHEALTHY.
 */
export async function proveFront(deps: SwapDeps, door: FrontDoor): Promise<Finding> {
  let deadline = deps.clock.now() + PATIENCE_MILLISECONDS;
  let isReminded = false;
  let row = 0;
  let wrong = 0;
  const began = deps.clock.now();
  for (;;) {
    door.signal.throwIfAborted();
    const { finding, certificate } = await lookAtFront(deps, door);
    row = finding.verdict === "pass" ? row + 1 : 0;
    if (row === IN_A_ROW) {
      reportCertificate(deps, door.expected, certificate);
      return pass(`${IN_A_ROW} answers in a row, ${deps.clock.now() - began} ms after the switch`, finding.evidence);
    }
    if (row > 0) continue;
    wrong = finding.answered === true ? wrong + 1 : 0;
    if (wrong >= WRONG_IN_A_ROW) {
      if (door.old === undefined || (await isGoodItself(deps, door.old))) throw unfit(deps, finding);
      wrong = 0;
    }
    if (deps.clock.now() >= deadline) {
      if (isReminded) throw unfit(deps, finding);
      const edge = await platformContainer(deps, "edge");
      if (edge !== undefined && edge.pid > 0) deps.hangUp(edge.pid);
      isReminded = true;
      deadline = deps.clock.now() + PATIENCE_MILLISECONDS;
    }
    await deps.clock.sleep(POLL_MILLISECONDS, door.signal);
  }
}

function unfit(deps: SwapDeps, { detail }: Finding): MillwrightError {
  return new MillwrightError("RELEASE_UNHEALTHY", `Through the front door: ${detail}.`, {
    subject: deps.stack.facts.domain,
    hint: "Look at `millwright logs edge`.",
  });
}

/** Asked directly: no user is on it. */
async function isGoodItself(deps: SwapDeps, colour: Colour): Promise<boolean> {
  try {
    return (await loginPageProbe(await targetOf(deps, colour)).look()).verdict === "pass";
  } catch {
    return false; // it does not answer, which is no better than a wrong page
  }
}

/** One request through the front door. */
export async function lookAtFront(
  deps: Pick<SwapDeps, "http" | "stack">,
  door: Omit<FrontDoor, "signal">,
): Promise<{ readonly finding: Finding; readonly certificate: ShownCertificate | undefined }> {
  try {
    const answer = await deps.http.ask(frontRequest(deps, "/web/login"));
    return { finding: judgeFront(answer, door.expected, door.page), certificate: answer.certificate };
  } catch (error) {
    return { finding: fail(messageOf(error)), certificate: undefined };
  }
}

/** Why a proxy at that address is not fit for users: what it answers is not of the colour and switch that serve. Undefined when it is. */
export async function whyNotThrough(http: Http, door: Door, expected: Active): Promise<string | undefined> {
  try {
    const finding = judgeFront(await http.ask(doorRequest(door, "/web/login")), expected, false);
    return finding.verdict === "pass" ? undefined : finding.detail;
  } catch (error) {
    return messageOf(error);
  }
}

export function judgeFront(answer: Answer, expected: Active | undefined, page: boolean): Finding {
  const [colour, switchId] = [answer.headers[COLOUR_HEADER], answer.headers[SWITCH_HEADER]];
  const evidence = { status: answer.status, colour: colour ?? "none", switch: switchId ?? "none" };
  if (expected === undefined) return colour === undefined ? pass("no release answers", evidence) : fail(`${colour} still answers`, evidence);
  if (colour !== expected.colour || switchId !== expected.switchId) {
    return fail(
      `the answer (${answer.status}) is of ${colour ?? "no colour"}, switch ${switchId ?? "none"}, instead of ${expected.colour}, switch ${expected.switchId}`,
      evidence,
    );
  }
  if (!page) return pass(`${colour} answers`, evidence);
  const finding = judgeLoginPage(answer);
  return finding.verdict === "fail" ? { ...finding, answered: true } : finding;
}

/** A request as a browser would send it, through the published port; `agent` tells it from people's in the access log. */
export function frontRequest(deps: Pick<SwapDeps, "stack">, path: string, agent?: string): HttpRequest {
  const { domain, listen } = deps.stack.facts;
  return doorRequest({ domain, address: doorAddress(listen), port: 443 }, path, agent);
}

/** Where the host itself reaches the ports that are published on an address. */
export function doorAddress(listen: string): string {
  return listen === "0.0.0.0" ? "127.0.0.1" : listen;
}

/** Where a proxy takes TLS for the plant's name. */
interface Door {
  readonly domain: string;
  readonly address: string;
  readonly port: number;
}

function doorRequest({ domain, address, port }: Door, path: string, agent = "millwright-probe"): HttpRequest {
  return { address, port, path, serverName: domain, headers: { Host: domain, "User-Agent": agent }, timeoutMilliseconds: 5000 };
}

/** Whether browsers will take the certificate is worth a word, but no reason to keep users on the old release. */
function reportCertificate(deps: SwapDeps, active: Active | undefined, certificate: ShownCertificate | undefined): void {
  if (active === undefined || certificate === undefined) return;
  const { verdict, detail } = judgeCertificate(certificate, deps.stack.facts.domain, deps.clock);
  deps.events.emit({ kind: "probe", at: timestamp(deps.clock), colour: active.colour, name: "certificate", verdict, detail, milliseconds: 0 });
}

export function judgeCertificate(certificate: ShownCertificate, domain: string, clock: Pick<Clock, "now">): Finding {
  const names = certificate.names.split(", ").map((name) => name.replace(/^(DNS|IP Address):/, "").toLowerCase());
  const parent = domain.slice(domain.indexOf(".") + 1);
  if (!names.includes(domain.toLowerCase()) && !names.includes(`*.${parent.toLowerCase()}`))
    return { verdict: "unknown", detail: `the certificate is not for ${domain} but for ${certificate.names}` };
  if (clock.now() > Date.parse(certificate.validTo)) return { verdict: "unknown", detail: `the certificate ended on ${certificate.validTo}` };
  if (clock.now() < Date.parse(certificate.validFrom)) return { verdict: "unknown", detail: `the certificate begins on ${certificate.validFrom}` };
  return pass(`valid until ${certificate.validTo}`);
}
