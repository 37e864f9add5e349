import type { Release } from "../../release/release-file.ts";
import type { RunRecord } from "../run-record.ts";
import { definitions } from "./definitions.ts";
import { type Markup, markup, type Part } from "./markup.ts";
import type { RunStory } from "./run-story.ts";

/** What went in: both releases side by side, the stack, the agent, the engine. */
export function versionsSection({ stack, agent, engine }: RunRecord, { swap }: RunStory): Markup {
  const images = stack?.images.map((image, index) => [index > 0 && markup`<br>`, hash(image)]) ?? [];
  return markup`<h2>Versions</h2>
${swap && releases(swap.from?.release, swap.release)}${definitions([
    ["Stack now", stack && `${stack.id} for ${stack.domain}, blueprint ${stack.blueprint}, Odoo ${stack.series}`],
    ["Its images", images.length > 0 && images],
    ["millwright", agent],
    ["Docker", engine],
  ])}`;
}

function releases(from: Release | undefined, to: Release): Markup {
  const names = [...new Set([...Object.keys(from?.addons ?? {}), ...Object.keys(to.addons)])].sort();
  const rows: readonly (readonly [name: string, of: (release: Release) => Part])[] = [
    ["Made", ({ createdAt, createdBy }) => `${createdAt} by ${createdBy}`],
    ["Notes", ({ notes }) => notes],
    ["Revision", ({ revision }) => revision],
    ["Odoo", ({ series }) => series],
    ["Image", ({ image }) => hash(image)],
    ["Base image", ({ base }) => hash(base)],
    ["Seal", ({ seal }) => hash(seal)],
    ...names.map(
      (name) => [`Addon ${name}`, (release: Release): Part => [release.addons[name]?.version ?? "none", release === to && change(name, from, to)]] as const,
    ),
  ];
  return markup`<table>
<thead><tr><th scope="col">Release</th>${from && markup`<th scope="col">${from.id} (before)</th>`}<th scope="col">${to.id}</th></tr></thead>
<tbody>
${rows.map(([name, of]) => markup`<tr><th scope="row">${name}</th>${from && markup`<td>${of(from)}</td>`}<td>${of(to)}</td></tr>\n`)}</tbody>
</table>
`;
}

function change(name: string, from: Release | undefined, to: Release): Markup | undefined {
  const [before, after] = [from?.addons[name], to.addons[name]];
  if (from === undefined || after === undefined) return undefined;
  const what =
    before === undefined ? "new" : before.schema !== after.schema ? "changes the database" : before.content !== after.content ? "new code" : "the same";
  return markup` <span class="faint">${what}</span>`;
}

function hash(text: string): Markup {
  return markup`<span class="hash">${text}</span>`;
}
