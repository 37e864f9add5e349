import type { Colour } from "../blueprint/stack.ts";
import type { Secret } from "../kernel/secret.ts";

/** Testers are led to a new colour that nobody else meets: docs/decisions/0010-preview.md. */
export interface Preview {
  /** The new one. */
  readonly colour: Colour;
  /** Names the cookie, so that those of an earlier run are no matter. */
  readonly run: string;
  /** Hexadecimal: it stands in a path, a header, a cookie and a regular expression as it is. */
  readonly secret: Secret;
}

export const PREVIEW_HEADER = "X-Millwright-Preview";
const LINK = "/millwright-preview/";

const COOKIE = "millwright-preview-cookie";
const TO_START = "millwright-preview-start";
const OWN_HEADER = "millwright-preview-header";

/** What a router of testers has beside its own: the secret is no business of Odoo's. */
export const TESTER_MIDDLEWARES = [OWN_HEADER];
/** What answers a request for the link. The one that redirects comes last: those before it have their say on its answer. */
export const LINK_MIDDLEWARES = [COOKIE, TO_START];

/** Testers have opened the link before, or send the secret themselves. */
export function testerRule(rule: string, preview: Preview): string {
  const cookie = `HeaderRegexp(\`Cookie\`, \`(^|;\\s*)${cookieOf(preview)}(;|$)\`)`;
  return `(${rule}) && (Header(\`${PREVIEW_HEADER}\`, \`${preview.secret.reveal()}\`) || ${cookie})`;
}

export function linkRule(rule: string, preview: Preview): string {
  return `(${rule}) && Path(\`${linkPath(preview)}\`)`;
}

export function linkPath({ secret }: Pick<Preview, "secret">): string {
  return `${LINK}${secret.reveal()}`;
}

/** The secret as a tester sends it. */
export function testerHeader({ secret }: Pick<Preview, "secret">): Readonly<Record<string, string>> {
  return { [PREVIEW_HEADER]: secret.reveal() };
}

/** The cookie that the link gives. */
export function cookieOf({ run, secret }: Preview): string {
  return `millwright-preview-${run}=${secret.reveal()}`;
}

export function previewMiddlewares(preview: Preview): readonly (readonly [name: string, middleware: unknown])[] {
  return [
    [OWN_HEADER, { headers: { customRequestHeaders: { [PREVIEW_HEADER]: "" } } }],
    [
      COOKIE,
      {
        headers: {
          // Without an age it ends with the browser. From elsewhere, such as a mail, the link is opened with Lax.
          customResponseHeaders: { "Set-Cookie": `${cookieOf(preview)}; Path=/; Secure; HttpOnly; SameSite=Lax`, "Cache-Control": "no-store" },
        },
      },
    ],
    [TO_START, { redirectRegex: { regex: "^.*$", replacement: "/" } }],
  ];
}
