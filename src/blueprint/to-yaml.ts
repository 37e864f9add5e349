import { stringify } from "yaml";
import type { Json } from "../kernel/canonical.ts";

/**
 * For Compose's reader, which is neither 1.1 nor 1.2: `compat` quotes every text that 1.1 would take for something else (1_000, dates,
 * 0b11), no folding of long commands, no anchors for shared objects.
 */
const OPTIONS = { compat: "yaml-1.1", lineWidth: 0, aliasDuplicateObjects: false } as const;

/**
 * Texts that YAML reads as texts without quotes, seen at a glance: by far the most. A word, a path, a flag or a variable begins, neither `: `
 * nor ` #` follows; or it is a span, a version, an address's port, or a `uid:gid` too large for minutes and seconds.
 */
const PLAIN = /^(?:(?:[A-Za-z_/$]|\.\.?\/|--?[A-Za-z])(?:[!-9;-~]|:(?! |$)| (?![# ]|$))*|\d+(?:ms|s|m)|\d+\.\d+\.\d+[0-9.]*|:\d+|[1-9]\d\d+:[1-9]\d\d+)$/;
/** … unless YAML has a meaning for the word; `e0` may be a number without its digits. */
const WORD = /^(?:y|n|yes|no|on|off|true|false|null|e[-+]?\d+)$/i;
/** Numbers, and times of the day: numbers to the base of 60. */
const DIGITS = /^(?:0|[1-9]\d{0,14}|\d\d:[0-5]\d)$/;
const FRACTION = /^\d+\.\d+$/;
const KEY = /^[A-Za-z_][\w.-]{0,99}$/;

type Filled = readonly Json[] | { readonly [key: string]: Json };

/**
 * YAML, byte for byte as the library writes it. Its writer is slow at first and a command writes once, so what it would give is written
 * here where that is plain to see; it is asked for the other texts, and for a whole document with anything unusual.
 */
export function toYaml(value: Json, head = ""): string {
  const lines: string[] = [];
  return head + (isFilled(value) && write(value, "", "", lines) ? `${lines.join("\n")}\n` : stringify(value, OPTIONS));
}

/** False when there is something unusual. The first line begins with `first`, all others with `indent`. */
function write(value: Filled, first: string, indent: string, lines: string[]): boolean {
  const isList = Array.isArray(value);
  let begin = first;
  for (const [key, item] of Object.entries<Json>(value)) {
    if (!isList && (!KEY.test(key) || WORD.test(key))) return false;
    const head = isList ? `${begin}-` : `${begin}${key}:`;
    begin = indent;
    if (!isFilled(item)) {
      const text = scalar(item);
      if (text === undefined) return false;
      lines.push(`${head} ${text}`);
      continue;
    }
    if (!isList) lines.push(head);
    if (!write(item, isList ? `${head} ` : `${indent}  `, `${indent}  `, lines)) return false;
  }
  return true;
}

function scalar(value: Json): string | undefined {
  if (typeof value === "string") {
    if (PLAIN.test(value) && !WORD.test(value)) return value;
    if (DIGITS.test(value)) return `"${value}"`;
    // On more than one line its form depends on where it stands.
    return value.includes("\n") ? undefined : stringify({ a: value }, OPTIONS).slice("a: ".length, -1);
  }
  if (typeof value === "number") {
    const digits = String(value);
    return (Number.isSafeInteger(value) && !Object.is(value, -0)) || FRACTION.test(digits) ? digits : undefined;
  }
  if (value === null || typeof value === "boolean") return JSON.stringify(value);
  if (Array.isArray(value)) return "[]";
  return typeof value === "object" ? "{}" : undefined;
}

function isFilled(value: Json): value is Filled {
  return value !== null && typeof value === "object" && Object.keys(value).length > 0;
}
