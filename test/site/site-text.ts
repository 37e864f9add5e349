import { parseSite } from "../../src/site/load-site.ts";
import { formatProblem } from "../../src/site/site-problem.ts";
import type { Site } from "../../src/site/site.ts";

/** A right site.yaml with some lines of its own at the top level. */
export function siteText(lines = "", environments = PRODUCTION): string {
  return `version: 1
name: acme
company: Acme
domain: erp.acme.example
certificate: { kind: ca }
odoo: { series: "19.0" }
${lines}
environments:
${environments}`;
}

export const PRODUCTION = `  production:
    host: { address: 192.0.2.1, admin: admin, memory: 4GiB, cpus: 2 }
`;

export const STAGING = `  staging:
    domain: staging.acme.example
    host: { address: 192.0.2.2, admin: admin, memory: 4GiB, cpus: 2 }
`;

export function goodSite(text: string): Site {
  const parsed = parseSite(text, "/site");
  if (parsed.kind === "bad") throw new Error(parsed.problems.map(formatProblem).join("\n"));
  return parsed.site;
}

export function problemsOf(text: string): readonly string[] {
  const parsed = parseSite(text, "/site");
  return parsed.kind === "bad" ? parsed.problems.map(formatProblem) : [];
}
