/** A program's own colours: what they colour is kept. */
const STYLE = /(?![\t\n])\p{Cc}\[[\d;:]*m/gu;
/** A terminal acts on these instead of showing them: it would move, retitle itself, or turn the direction of what follows. */
const ACTS = /(?![\t\n])\p{Cc}|[\u202A-\u202E\u2066-\u2069]/gu;

/** Text that came from elsewhere (a container's log, a release's notes), safe to write to a terminal: what would act on it is shown as `\x1b`. */
export function printable(text: string): string {
  return text
    .replace(STYLE, "")
    .replace(/\r+(?=\n|$)/g, "")
    .replace(ACTS, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** JSON that a terminal can show: JSON itself escapes only some of what it would act on. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(ACTS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The same for every string in a JSON value. */
export function printableValue<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value), (_key, inner: unknown) => (typeof inner === "string" ? printable(inner) : inner)) as Value;
}
