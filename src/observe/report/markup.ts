/** Markup that is known to be sound: made by `markup`, never from a value. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Part = string | number | Markup | undefined | false | readonly Part[];

/**
 * Markup from a template, in which every value is escaped unless it is markup itself: no value can become structure. Undefined and false
 * leave nothing.
 */
export function markup(template: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(template.map((text, index) => text + textOf(index < parts.length ? parts[index] : undefined)).join(""));
}

/** Attribute values of one element; those that are undefined are left out. */
export function attributes(values: Readonly<Record<string, string | number | undefined>>): Markup {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined);
  return new Markup(pairs.map(([name, value]) => ` ${name}="${escape(String(value))}"`).join(""));
}

function textOf(part: Part): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Markup) return part.text;
  return typeof part === "string" || typeof part === "number" ? escape(String(part)) : part.map(textOf).join("");
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "`": "&#96;", "/": "&#47;" };

/**
 * For text and for quoted attributes. The slash too, so that no address that evidence holds stands in the page as one. What a terminal or
 * an editor might obey (control characters, marks that turn the direction of writing) becomes visible.
 */
export function escape(text: string): string {
  return text
    .replace(/[&<>"'`/]/g, (found) => ENTITIES[found] ?? found)
    .replace(/(?![\t\n\r])[\p{Cc}\u{FFFE}\u{FFFF}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, visible);
}

function visible(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
