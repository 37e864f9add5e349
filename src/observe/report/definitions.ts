import { attributes, type Markup, markup, type Part } from "./markup.ts";

/** Names with what they are; those without a value are left out. */
export function definitions(rows: readonly (readonly [name: string, value: Part])[], kind?: "numbers"): Markup {
  const told = rows.filter(([, value]) => value !== undefined && value !== false);
  return markup`<dl${attributes({ class: kind })}>
${told.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>
`;
}
