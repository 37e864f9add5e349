import { hashOf } from "../kernel/canonical.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { type JournalEntry, journalEntrySchema } from "../kernel/journal.ts";
import { parseJson } from "../kernel/parse-json.ts";

/** What the first entry has for the hash of the one before. */
export const CHAIN_START = "0".repeat(64);

/** Loose, because the hash covers fields too that a later version may add. */
const entrySchema = journalEntrySchema.loose();

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

/** What stands before the bytes that are read. */
interface ChainStart {
  readonly entries: number;
  readonly head: string;
}

const BEGINNING: ChainStart = { entries: 0, head: CHAIN_START };

/**
 * Reads a journal's bytes and checks every link of its chain. Only the last line can be torn, since each is on the disk before the next
 * is written; anything else that does not fit was changed by something other than millwright: JOURNAL_BROKEN, which names the first entry
 * that is changed, missing or out of its order.
 */
export function readChain(bytes: Uint8Array, path: string, start: ChainStart = BEGINNING): JournalContent {
  const entries: JournalEntry[] = [];
  let head = start.head;
  let size = 0;
  while (size < bytes.length) {
    const newline = bytes.indexOf(10, size);
    const end = newline === -1 ? bytes.length : newline;
    const entry = parseEntry(bytes.subarray(size, end));
    const isLast = end + 1 >= bytes.length;
    // A power cut may leave a line without its end, or of the full length with blocks of zeros in it.
    if (newline === -1 || (entry === "not JSON" && isLast)) break;
    const place = start.entries + entries.length + 1;
    if (typeof entry === "string") throw broken(path, place, `Line ${place} of the journal is no entry`);
    const fault = faultOf(entry, place, head, bytes.subarray(newline + 1));
    if (fault !== undefined) throw broken(path, place, fault);
    entries.push(entry);
    head = entry.hash;
    size = newline + 1;
  }
  return { entries, head, size, tornBytes: bytes.length - size };
}

/**
 * The same for the end of a journal: `bytes` begin anywhere in it. The first whole entry is where the chain is taken up, so nothing is
 * said of what stands before it.
 */
export function readChainEnd(bytes: Uint8Array, path: string): JournalContent {
  const begin = bytes.indexOf(10) + 1;
  const first = parseEntry(bytes.subarray(begin, Math.max(begin, bytes.indexOf(10, begin))));
  if (typeof first === "string") return { entries: [], head: CHAIN_START, size: 0, tornBytes: bytes.length };
  return readChain(bytes.subarray(begin), path, { entries: first.seq - 1, head: first.previous });
}

/** Why an entry cannot be the next one; undefined when it is. */
function faultOf({ hash, ...entry }: JournalEntry, place: number, head: string, rest: Uint8Array): string | undefined {
  if (hashOf(entry) !== hash) return `Entry ${place} of the journal was changed: it does not match its own hash`;
  if (entry.seq === place && entry.previous === head) return undefined;
  if (entry.seq < place) return `Entry ${entry.seq} of the journal stands a second time, after entry ${place - 1}`;
  if (entry.seq === place) return `Entry ${place} of the journal does not continue the one before it`;
  if (hasEntry(rest, place)) return `Entry ${place} of the journal is out of its order: entry ${entry.seq} stands before it`;
  return place === entry.seq - 1 ? `Entry ${place} of the journal is missing` : `Entries ${place} to ${entry.seq - 1} of the journal are missing`;
}

function hasEntry(bytes: Uint8Array, seq: number): boolean {
  return new TextDecoder()
    .decode(bytes)
    .split("\n")
    .some((line) => journalEntrySchema.safeParse(parseJson(line)).data?.seq === seq);
}

function parseEntry(line: Uint8Array): JournalEntry | "not JSON" | "no entry" {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch {
    return "not JSON";
  }
  const parsed = entrySchema.safeParse(value);
  return parsed.success ? parsed.data : "no entry";
}

function broken(path: string, place: number, fault: string): MillwrightError {
  return new MillwrightError("JOURNAL_BROKEN", `${fault}; the file was changed by something other than millwright.`, {
    subject: `${path}:${place}`,
    hint: "Find out who changed it. To go on with a new journal, move the file away and keep it as evidence.",
  });
}
