import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LineCounter, parseDocument, type Document } from "yaml";
import { exists } from "../kernel/durable-file.ts";
import { messageOf, MillwrightError } from "../kernel/errors.ts";
import { crossCheck, crossCheckAll } from "./cross-checks.ts";
import type { Environment } from "./environment.ts";
import { offsiteAuthority } from "./offsite.ts";
import { overlaySettings } from "./overlay.ts";
import { resolveEnvironment } from "./resolve-environment.ts";
import { schemaProblems, type SchemaProblem } from "./schema-problems.ts";
import { certificateFiles, siteFiles, type Site } from "./site.ts";
import { SITE_DEFAULTS } from "./site-defaults.ts";
import { siteJsonSchema } from "./site-json-schema.ts";
import { formatProblem, locate, pathText, type SitePath, type SiteProblem } from "./site-problem.ts";
import { environmentSchema, siteFileSchema, type EnvironmentSettings } from "./site-schema.ts";

const FILE = "site.yaml";

export type SiteCheck = { readonly kind: "good"; readonly site: Site } | { readonly kind: "bad"; readonly problems: readonly SiteProblem[] };

/** Reads a site folder. Throws SITE_NOT_FOUND, or one SITE_INVALID that lists everything wrong. */
export async function loadSite(directory: string): Promise<Site> {
  const check = await checkSite(directory);
  if (check.kind === "good") return check.site;
  const count = check.problems.length;
  throw new MillwrightError("SITE_INVALID", count === 1 ? "site.yaml has a mistake." : `site.yaml has ${count} mistakes.`, {
    subject: siteFiles(directory).site,
    hint: "Mend what is listed, then run `millwright check`.",
    details: check.problems.map(formatProblem),
  });
}

/** The same with the problems as data. */
export async function checkSite(directory: string): Promise<SiteCheck> {
  const parsed = parseSite(await readSiteFile(directory), directory);
  if (parsed.kind === "bad") return parsed;
  const missing = await missingCertificates(parsed.site);
  return missing.length === 0 ? parsed : { kind: "bad", problems: missing.map(({ name, problem }) => parsed.place(name, problem)) };
}

async function readSiteFile(directory: string): Promise<string> {
  try {
    return await readFile(siteFiles(directory).site, "utf8");
  } catch (error) {
    throw new MillwrightError("SITE_NOT_FOUND", "There is no readable site.yaml in this folder.", {
      subject: directory,
      hint: "Change to a site's folder, pass --site, or make a site with `millwright new`.",
      cause: error,
    });
  }
}

type Place = (environment: string, problem: SchemaProblem) => SiteProblem;

/** Pure: the text of site.yaml → Site, or every problem in it. */
export function parseSite(
  text: string,
  directory: string,
): { readonly kind: "good"; readonly site: Site; readonly place: Place } | { readonly kind: "bad"; readonly problems: readonly SiteProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const raw = plainData(document, lines);
  if (raw.kind === "bad") return raw;

  const toProblem = (problem: SchemaProblem, at: SitePath = problem.path): SiteProblem => ({
    file: FILE,
    ...locate(document, lines, at),
    path: pathText(problem.path),
    message: problem.message,
    ...(problem.suggestion === undefined ? {} : { suggestion: problem.suggestion }),
  });

  const file = siteFileSchema.safeParse(raw.data);
  if (!file.success) {
    return { kind: "bad", problems: schemaProblems(file.error.issues, raw.data, siteJsonSchema()).map((problem) => toProblem(problem)) };
  }

  // A value may stand in the environment or, for all of them, at the top: a problem is told where the value was written.
  const place: Place = (name, problem) => {
    const own = ["environments", name, ...problem.path];
    if (document.hasIn(own)) return toProblem({ ...problem, path: own });
    if (document.hasIn(problem.path)) return toProblem(problem);
    return toProblem(
      problem.message === "is missing" ? { ...problem, message: `is missing: state it at the top or under environments.${name}` } : problem,
      own,
    );
  };

  const { version: _version, name: siteName, company: _company, environments: written, ...base } = raw.data as Readonly<Record<string, unknown>>;
  const settings = new Map<string, EnvironmentSettings>();
  const environments = new Map<string, Environment>();
  const problems: SiteProblem[] = [];
  for (const [name, own] of Object.entries(written as Readonly<Record<string, Readonly<Record<string, unknown>>>>)) {
    const merged = overlaySettings(overlaySettings(SITE_DEFAULTS, base), own);
    const result = environmentSchema.safeParse(merged);
    if (!result.success) {
      problems.push(...schemaProblems(result.error.issues, merged, siteJsonSchema()).map((problem) => place(name, problem)));
      continue;
    }
    settings.set(name, result.data);
    problems.push(...crossCheck(result.data).map((problem) => place(name, problem)));
    const environment = resolveEnvironment({ site: String(siteName), company: file.data.company, name }, result.data);
    if (typeof environment === "string") problems.push(place(name, { path: ["host"], message: environment }));
    else environments.set(name, environment);
  }
  problems.push(...crossCheckAll(settings).map(({ name, problem }) => place(name, problem)));
  if (problems.length > 0) return { kind: "bad", problems: withoutRepeats(problems) };
  const site: Site = { directory, name: file.data.name, company: file.data.company, environments, files: siteFiles(directory) };
  return { kind: "good", site, place };
}

function plainData(
  document: Document,
  lines: LineCounter,
): { readonly kind: "good"; readonly data: unknown } | { readonly kind: "bad"; readonly problems: readonly SiteProblem[] } {
  const at = (offset: number, message: string): SiteProblem => {
    const { line, col } = lines.linePos(offset);
    return { file: FILE, line: Math.max(1, line), column: Math.max(1, col), path: "", message };
  };
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0) return { kind: "bad", problems: wrong.map((error) => at(error.pos[0], `is not YAML here: ${error.message}`)) };
  try {
    // An alias without its anchor, or one that multiplies, shows only now.
    const data: unknown = document.toJS();
    if (data !== null && typeof data === "object" && !Array.isArray(data)) return { kind: "good", data };
    return { kind: "bad", problems: [at(0, "must be a map of keys")] };
  } catch (error) {
    return { kind: "bad", problems: [at(0, messageOf(error))] };
  }
}

async function missingCertificates(site: Site): Promise<readonly { readonly name: string; readonly problem: SchemaProblem }[]> {
  const found: { readonly name: string; readonly problem: SchemaProblem }[] = [];
  for (const environment of site.environments.values()) {
    const authority = offsiteAuthority(environment);
    if (authority !== undefined && !(await exists(join(site.directory, authority)))) {
      found.push({ name: environment.name, problem: { path: ["backup", "offsite", "ca"], message: `the file ${authority} is not in the site's folder` } });
    }
    // Files of the kind `ca` are the tool's own: the command that needs them says how they are made.
    if (environment.certificate.kind !== "files") continue;
    for (const [key, file] of Object.entries(certificateFiles(environment) ?? {})) {
      if (await exists(join(site.directory, file))) continue;
      found.push({ name: environment.name, problem: { path: ["certificate", key], message: `the file ${file} is not in the site's folder` } });
    }
  }
  return found;
}

function withoutRepeats(problems: readonly SiteProblem[]): readonly SiteProblem[] {
  return [...new Map(problems.map((problem) => [formatProblem(problem), problem])).values()];
}
