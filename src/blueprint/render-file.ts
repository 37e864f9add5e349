import type * as z from "zod";
import { secretReference } from "../site/secret-reference.ts";
import type { Part, partBodySchema } from "./blueprint.ts";
import { interpolate } from "./interpolate.ts";
import { blueprintYaml } from "./load-blueprint.ts";
import { type StackFile, stackFileSchema } from "./stack.ts";
import { toYaml } from "./to-yaml.ts";
import { blueprintInvalid, fillTemplate, type View } from "./template.ts";

/** What a PEM file of the site is for. */
export type PemPurpose = "chain" | "ca" | "offsite";

type Entry = z.infer<typeof partBodySchema>["files"][number];

/** One entry of a part's `files` → files of the stack. What is marked with a `uid` is secret: 0400 and that user's on the host. */
export function renderFile(part: Part, entry: Entry, view: View, certificates: Readonly<Partial<Record<PemPurpose, string>>>): readonly StackFile[] {
  const where = `parts/${part.name}/part.yaml, file ${entry.to}`;
  const ownership = entry.uid === undefined ? {} : { secret: true, uid: entry.uid };
  const make = (path: string, content: string): StackFile => stackFileSchema.parse({ path, content, ...ownership });

  if (entry.secret !== undefined) return [make(entry.to, secretReference(entry.secret))];
  if (entry.certificate !== undefined) {
    const content = certificates[entry.certificate];
    if (content === undefined) throw blueprintInvalid(where, `the site has no certificate file of the kind ${entry.certificate}`);
    return [make(entry.to, content)];
  }
  const from = entry.from ?? "";
  if (from.endsWith("/")) {
    const inside = [...part.files].filter(([path]) => path.startsWith(from));
    if (inside.length === 0) throw blueprintInvalid(where, `the folder ${from} is empty`);
    return inside.map(([path, content]) => make(`${entry.to}${path.slice(from.length)}`, content));
  }
  const text = part.files.get(from);
  if (text === undefined) throw blueprintInvalid(where, `there is no ${from}`);
  const source = `parts/${part.name}/${from}`;
  if (from.endsWith(".hbs")) return [make(entry.to, fillTemplate(text, view, source))];
  if (!from.endsWith(".yaml")) return [make(entry.to, text)];
  const data = interpolate(blueprintYaml(text, source), view, source);
  return [make(entry.to, entry.to.endsWith(".json") ? `${JSON.stringify(data, null, 2)}\n` : toYaml(data))];
}
