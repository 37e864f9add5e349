/** `util.inspect.custom`, documented to be this symbol: for `node:util` itself Node 24 loads thirty modules of its own, worker threads among them. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

const known = new Set<string>();

/**
 * A value that must not reach a terminal, a log, argv or git. It prints as `[secret]` in every usual way of printing and is
 * registered so that `redact` masks it in text that comes from elsewhere (remote stderr, log lines).
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    // Shorter values would mask ordinary words all over the output.
    if (value.length >= 8) {
      const json = JSON.stringify(value).slice(1, -1);
      for (const form of [value, encodeURIComponent(value), Buffer.from(value).toString("base64"), json]) known.add(form);
      // A log is read and masked line by line; the lines that frame a key are everybody's.
      for (const line of value.split("\n")) if (line.length >= 16 && !line.startsWith("-----")) known.add(line);
    }
  }

  /** The plain value: only for the place that hands it to its user (a 0400 file, an encryption, a login). */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [INSPECT](): string {
    return "[secret]";
  }
}

const PATTERNS = [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, /AGE-SECRET-KEY-1[A-Z0-9]+/g];
const URL_PASSWORD = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]+@/g;

/** Masks every secret this process knows, in plain, URL-encoded, base64 and JSON-escaped form, and everything that looks like a private key. */
export function redact(text: string): string {
  let out = text;
  // Longest first: a secret that is part of another must not leave the rest of it standing.
  for (const value of [...known].sort((a, b) => b.length - a.length)) if (out.includes(value)) out = out.replaceAll(value, "[secret]");
  for (const pattern of PATTERNS) out = out.replace(pattern, "[secret]");
  return out.replace(URL_PASSWORD, "$1:[secret]@");
}

/** The same for every string in a JSON value, keys included. */
export function redactValue(value: unknown): unknown {
  if (typeof value === "string") return redact(value);
  if (value instanceof Secret) return "[secret]";
  if (Array.isArray(value)) return value.map(redactValue);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [redact(key), redactValue(inner)]));
  }
  return value;
}
