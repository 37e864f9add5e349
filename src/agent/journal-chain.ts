import { hashOf } from "../kernel/canonical.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { type JournalEntry, journalEntrySchema } from "../kernel/journal.ts";

/** What the first entry has for the hash of the one before. */
export const CHAIN_START = "0".repeat(64);

export interface JournalContent {
  readonly entries: readonly JournalEntry[];
  /** Hash of the last entry: whoever keeps it can tell later that history was not rewritten. */
  readonly head: string;
  /** Bytes of whole entries. What comes after them in the file was torn by a crash in mid-write. */
  readonly size: number;
  readonly tornBytes: number;
}

export function sealEntry(entry: Omit<JournalEntry, "hash">): JournalEntry {
  return { ...entry, hash: hashOf(entry) };
}

/**
 * Reads a journal's bytes and checks every link of its chain. Only the last line can be torn, since each is on the disk before the next
 * is written; anything else that does not fit was changed by something other than millwright: JOURNAL_BROKEN.
 */
export function readChain(bytes: Uint8Array, path: string): JournalContent {
  const entries: JournalEntry[] = [];
  let head = CHAIN_START;
  let size = 0;
  while (size < bytes.length) {
    const newline = bytes.indexOf(10, size);
    const end = newline === -1 ? bytes.length : newline;
    const entry = parseEntry(bytes.subarray(size, end));
    const isLast = end + 1 >= bytes.length;
    // A power cut may leave a line without its end, or of the full length with blocks of zeros in it.
    if (newline === -1 || (entry === "not JSON" && isLast)) break;
    if (typeof entry === "string") throw broken(path, entries.length + 1, "is not a journal entry");
    const { hash, ...rest } = entry;
    if (hashOf(rest) !== hash) throw broken(path, entries.length + 1, "does not match its own hash");
    if (rest.previous !== head) throw broken(path, entries.length + 1, "does not continue the line before it");
    if (rest.seq !== entries.length + 1) throw broken(path, entries.length + 1, `has the number ${rest.seq}`);
    entries.push(entry);
    head = hash;
    size = newline + 1;
  }
  return { entries, head, size, tornBytes: bytes.length - size };
}

function parseEntry(line: Uint8Array): JournalEntry | "not JSON" | "no entry" {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch {
    return "not JSON";
  }
  // Loose, because the hash covers fields too that a later version may add.
  const parsed = journalEntrySchema.loose().safeParse(value);
  return parsed.success ? parsed.data : "no entry";
}

function broken(path: string, line: number, what: string): MillwrightError {
  return new MillwrightError("JOURNAL_BROKEN", `Line ${line} of the journal ${what}; it was changed by something other than millwright.`, {
    subject: `${path}:${line}`,
    hint: "Find out who changed it. To go on with a new journal, move the file away and keep it as evidence.",
  });
}
