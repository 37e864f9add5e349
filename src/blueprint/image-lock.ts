import { LineCounter, parseDocument, stringify } from "yaml";
import * as z from "zod";
import { MillwrightError } from "../kernel/errors.ts";
import { parseYaml } from "../kernel/parse-yaml.ts";
import { schemaProblems } from "../site/schema-problems.ts";
import type { JsonSchema } from "../site/site-json-schema.ts";
import { formatProblem, locate, pathText } from "../site/site-problem.ts";

/** `images.lock.yaml` of a site: which bytes each image name of the blueprint stands for, until `millwright lock` is run again. */
export const imageLockSchema = z.strictObject({
  version: z.literal(1),
  images: z.record(
    z.string(),
    z.strictObject({
      /** Name and tag as the blueprint has it, such as `odoo:19`. */
      source: z.string().regex(/^[a-z0-9][a-z0-9._/-]*:[A-Za-z0-9._-]+$/, "must be an image with its tag, such as odoo:19"),
      digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 digits of 0-9 and a-f"),
      lockedAt: z.string(),
    }),
  ),
});

export type ImageLock = z.infer<typeof imageLockSchema>;

/** The lock in a text. What is wrong with one that was edited by hand is told with its line. */
export function readImageLock(text: string, file = "images.lock.yaml"): ImageLock {
  const yaml = parseYaml(text);
  if (yaml.kind === "fault") {
    throw new MillwrightError("SITE_INVALID", `${file} is not valid YAML: ${yaml.fault}`, { subject: file, hint: WAY_BACK });
  }
  const parsed = imageLockSchema.safeParse(yaml.data);
  if (parsed.success) return parsed.data;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = schemaProblems(parsed.error.issues, yaml.data, z.toJSONSchema(imageLockSchema) as JsonSchema);
  const details = problems.map((problem) => formatProblem({ ...problem, file, ...locate(document, lines, problem.path), path: pathText(problem.path) }));
  throw new MillwrightError("SITE_INVALID", `${file} does not have the form of an image lock.`, { subject: file, hint: WAY_BACK, details });
}

/** Locking anew reads what was locked before. */
const WAY_BACK = "Get it back from the site's git history, or remove it and run `millwright lock`.";

/** The same lock always gives the same bytes. */
export function writeImageLock(lock: ImageLock): string {
  const images = Object.fromEntries(Object.entries(lock.images).sort(([a], [b]) => (a < b ? -1 : 1)));
  const head = "# Written by `millwright lock`: the exact image each name stands for. Commit it.\n";
  return head + stringify({ version: lock.version, images }, { compat: "yaml-1.1", lineWidth: 0 });
}

/** `name:tag@sha256:…` of an image of the blueprint; refuses when the lock lacks it or was made for another tag. */
export function lockedReference(lock: ImageLock, name: string, source?: string): string {
  const entry = Object.hasOwn(lock.images, name) ? lock.images[name] : undefined;
  if (entry === undefined) {
    throw new MillwrightError("IMAGE_NOT_LOCKED", `images.lock.yaml has no digest for the image "${name}"${source === undefined ? "" : ` (${source})`}.`, {
      subject: name,
      hint: "millwright lock",
    });
  }
  if (source !== undefined && entry.source !== source) {
    throw new MillwrightError("IMAGE_NOT_LOCKED", `images.lock.yaml has "${name}" locked as ${entry.source}, but ${source} is wanted.`, {
      subject: name,
      hint: "millwright lock",
    });
  }
  return `${entry.source}@${entry.digest}`;
}
