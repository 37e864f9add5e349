import { createHash } from "node:crypto";
import type { Colour } from "../blueprint/stack.ts";
import type { Answer } from "./http.ts";

/** A stage in which some browsers are led to the new colour: docs/decisions/0008-canary.md. */
export interface Canary {
  /** The new one. */
  readonly colour: Colour;
  /** Names the cookies, so that those of an earlier run are no matter. */
  readonly run: string;
  /** Share of the browsers on the new colour at the end of this stage, and of the one before. */
  readonly percent: number;
  readonly before: number;
}

/** Longer than any canary: a browser that is started again is the same user. */
const COOKIE_SECONDS = 86_400;

/**
 * Gives each browser that comes a colour, and a cookie that tells which. Of those whom the stages before have left on the old colour, as
 * many are led to the new one as make up this stage's share.
 */
export function drawService(canary: Canary, oldService: string, newService: string): unknown {
  const { percent, before } = canary;
  return {
    weighted: {
      services: [
        { name: oldService, weight: 100 - percent },
        { name: newService, weight: percent - before },
      ],
      sticky: { cookie: { name: `${cookiesOf(canary)}${percent}`, secure: true, httpOnly: true, sameSite: "lax", path: "/", maxAge: COOKIE_SECONDS } },
    },
  };
}

/** Browsers that this stage or one before has led to the new colour. */
export function pinnedRule(rule: string, canary: Canary): string {
  return `(${rule}) && HeaderRegexp(\`Cookie\`, \`(^|;\\s*)${cookiesOf(canary)}\\d+=${valueOf(canary.colour)}(;|$)\`)`;
}

/**
 * A browser opens a page and was not drawn in this stage. Nobody else is drawn: what a page that is open already asks for, scripts and
 * scanners stay where they are, so that no page is put together from two releases. Odoo's service worker passes on each opening of a page
 * below /odoo itself, and the browser then says so by its mode alone (Fetch: a navigation's mode outlives the worker, its destination does
 * not; W3C ServiceWorker issue 1803).
 */
export function drawRule(rule: string, canary: Canary): string {
  const wasDrawn = `HeaderRegexp(\`Cookie\`, \`(^|;\\s*)${cookiesOf(canary)}${canary.percent}=\`)`;
  const opensPage = [OPENS_PAGE, OPENS_PAGE_BY_WORKER].map((headers) =>
    Object.entries(headers)
      .map(([name, value]) => `Header(\`${name}\`, \`${value}\`)`)
      .join(" && "),
  );
  return `(${rule}) && Method(\`GET\`) && (${opensPage.map((met) => `(${met})`).join(" || ")}) && !${wasDrawn}`;
}

/** What a browser that was led to the new colour sends. */
export function pinCookie(canary: Canary): string {
  return cookieFor(canary, canary.colour);
}

/** Sent by a browser that opens a page, beside what all requests have. */
export const OPENS_PAGE = { "Sec-Fetch-Dest": "document" };
/** The same, through a service worker. */
export const OPENS_PAGE_BY_WORKER = { "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "empty" };

/** Whether who opens a page is drawn, and gets the cookie that the rules go by. */
export function isDrawn(answer: Pick<Answer, "headers">, canary: Canary, old: Colour): boolean {
  const cookies = answer.headers["set-cookie"] ?? "";
  return [old, canary.colour].some((colour) => cookies.includes(`${cookieFor(canary, colour)};`));
}

function cookieFor(canary: Canary, colour: Colour): string {
  return `${cookiesOf(canary)}${canary.percent}=${valueOf(colour)}`;
}

/** Each stage has a cookie of its own, whose name ends with its share: so those who stayed are drawn again, and nobody who was led goes back. */
function cookiesOf({ run }: Canary): string {
  return `millwright-canary-${run}-`;
}

/** Traefik's value for the child of a weighted service: it is by the child's name alone. */
function valueOf(colour: Colour): string {
  return createHash("sha256").update(`odoo-${colour}`).digest("hex").slice(0, 16);
}
