import type { LogLine } from "../docker/log-lines.ts";
import { printable } from "../kernel/printable.ts";
import { redact } from "../kernel/secret.ts";

/** How Odoo begins an entry; what follows without such a beginning (a traceback) belongs to it. */
const HEAD = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ ([A-Z]+) \S+ (\S+): (.*)$/s;
/** Of a long traceback its beginning and its end tell most. */
const [KEPT_FIRST, KEPT_LAST] = [5, 25];
const KEPT_KINDS = 50;
/** Beyond these, entries are counted and told apart no more. */
const MOST_KINDS = 500;

/** Entries of one kind, as evidence: the first of them in full. */
export interface ErrorKind {
  readonly kind: string;
  readonly service: string;
  readonly entries: number;
  readonly first: string;
  readonly last: string;
  readonly lines: readonly string[];
}

interface OpenEntry {
  readonly at: string;
  readonly head: string;
  readonly lines: string[];
}

/**
 * The ERROR and CRITICAL entries of Odoo's logs, sorted by kind. Lines come in portions; an entry is closed by the next one, or by a
 * portion that does not go on with it, so that a traceback cut in two stays one entry.
 */
export class ErrorLog {
  readonly #known: ReadonlySet<string>;
  readonly #kinds = new Map<string, { service: string; entries: number; first: string; last: string; lines: readonly string[] }>();
  readonly #open = new Map<string, OpenEntry>();
  #entries = 0;

  /** Entries of these kinds are passed over: the old release writes them too. */
  constructor(known: Iterable<string> = []) {
    this.#known = new Set(known);
  }

  get entries(): number {
    return this.#entries;
  }

  get kinds(): readonly string[] {
    return [...this.#kinds.keys()];
  }

  get evidence(): readonly ErrorKind[] {
    return [...this.#kinds].slice(0, KEPT_KINDS).map(([kind, seen]) => ({ kind, ...seen }));
  }

  read(service: string, portion: readonly LogLine[]): void {
    if (portion.length === 0) this.#close(service);
    for (const { at, text } of portion) {
      const head = HEAD.exec(text);
      const open = this.#open.get(service);
      if (head === null) {
        if (open === undefined) continue;
        open.lines.push(text);
        if (open.lines.length > KEPT_FIRST + KEPT_LAST) open.lines.splice(KEPT_FIRST, 1);
        continue;
      }
      this.#close(service);
      const [, level = "", logger = "", message = ""] = head;
      if (level === "ERROR" || level === "CRITICAL") this.#open.set(service, { at, head: `${level} ${logger}: ${message}`, lines: [text] });
    }
  }

  /** Nothing more will come. */
  close(): void {
    for (const service of this.#open.keys()) this.#close(service);
  }

  #close(service: string): void {
    const entry = this.#open.get(service);
    if (entry === undefined) return;
    this.#open.delete(service);
    const kind = kindOf(entry.head, entry.lines.slice(1));
    if (this.#known.has(kind)) return;
    this.#entries += 1;
    const seen = this.#kinds.get(kind);
    if (seen !== undefined) {
      seen.entries += 1;
      seen.last = entry.at;
    } else if (this.#kinds.size < MOST_KINDS) {
      const lines = this.#kinds.size < KEPT_KINDS ? entry.lines.map((line) => printable(redact(line)).slice(0, 1000)) : [];
      this.#kinds.set(kind, { service, entries: 1, first: entry.at, last: entry.at, lines });
    }
  }
}

/**
 * What makes two entries the same: level, logger, message and the exception at the end of the traceback, without what differs from one
 * time to the next. The exception counts because Odoo logs every failed request under the same message.
 */
export function kindOf(head: string, rest: readonly string[]): string {
  const exception = rest.findLast((line) => line !== "" && !/^\s/.test(line)) ?? "";
  const parts = [head, exception].filter((part) => part !== "").map((part) => constantPart(redact(part)));
  return printable(parts.join(" | "));
}

function constantPart(text: string): string {
  return text
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "#")
    .replace(/\b0x[0-9a-f]+\b/gi, "#")
    .replace(/\b(?=[a-z]*\d)[0-9a-f]{8,}\b/gi, "#")
    .replace(/\d+(?:[.,:-]\d+)*/g, "#")
    .replace(/#(?:\s*,\s*#)+/g, "#")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, 200);
}
