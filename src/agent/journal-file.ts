import { type FileHandle, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { type Clock, timestamp } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { Journal, JournalEntry } from "../kernel/journal.ts";
import { redactValue } from "../kernel/secret.ts";
import { isMissing, syncDirectory } from "../kernel/durable-file.ts";
import { readPart } from "../kernel/read-part.ts";
import { type JournalContent, readChain, readChainEnd, sealEntry } from "./journal-chain.ts";
import { readLock } from "./run-lock.ts";

/** Reads and checks a stack's journal; an absent one is empty. May be called while a run writes: a line half written is left out. */
export async function verifyJournal(path: string): Promise<JournalContent> {
  let bytes: Uint8Array = new Uint8Array();
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return readChain(bytes, path);
}

/** Enough for the last two dozen runs; a long journal takes seconds to read and check as a whole. */
const END_BYTES = 128 * 1024;

/** The end of a stack's journal, checked from its first whole entry on: what a look needs that must be quick however long the history is. */
export async function readJournalEnd(path: string): Promise<JournalContent> {
  const { bytes, size } = await readPart(path, "last", END_BYTES);
  return size <= END_BYTES ? readChain(bytes, path) : readChainEnd(bytes, path);
}

/**
 * The journal of one stack, opened for the run that holds the stack's lock: so there is one writer. A line torn by a crash is cut off, and
 * an entry says so. Owns an open file.
 */
export async function openJournal(paths: HostPaths, run: string, who: string, clock: Clock): Promise<JournalFile> {
  const lock = await readLock(paths);
  if (lock?.run !== run) {
    throw new MillwrightError("INTERNAL", `Run ${run} may not write the journal: the lock is ${lock === undefined ? "free" : `held by run ${lock.run}`}.`);
  }
  const before = await verifyJournal(paths.journal);
  const file = await openOrCreate(paths.journal);
  try {
    if (before.tornBytes > 0) await file.truncate(before.size);
    // What was read here, the lock included, may be in memory only: whoever wrote it may have been killed before it was on the disk.
    await file.sync();
    await syncDirectory(dirname(paths.journal));
    const journal = new JournalFile(paths.journal, file, before, { run, who, clock });
    if (before.tornBytes > 0) await journal.append({ kind: "repaired", step: "", detail: { cutOffBytes: before.tornBytes } });
    return journal;
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface Writer {
  readonly run: string;
  readonly who: string;
  readonly clock: Clock;
}

export class JournalFile implements Journal, AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #writer: Writer;
  readonly #entries: JournalEntry[];
  #size: number;
  #head: string;

  constructor(path: string, file: FileHandle, content: JournalContent, writer: Writer) {
    this.#path = path;
    this.#file = file;
    this.#writer = writer;
    this.#entries = [...content.entries];
    this.#size = content.size;
    this.#head = content.head;
  }

  async append(entry: Pick<JournalEntry, "kind" | "step" | "detail">): Promise<void> {
    const { run, who, clock } = this.#writer;
    // Through JSON, so that what is hashed is what a reader will parse.
    const detail = JSON.parse(JSON.stringify(redactValue(entry.detail))) as JournalEntry["detail"];
    const { kind, step } = entry;
    const sealed = sealEntry({ seq: this.#entries.length + 1, at: timestamp(clock), run, who, kind, step, detail, previous: this.#head });
    const line = Buffer.from(`${JSON.stringify(sealed)}\n`);
    if ((await this.#file.stat()).size !== this.#size) {
      throw new MillwrightError("JOURNAL_BROKEN", "Something else wrote to the journal while the run had it open.", { subject: this.#path });
    }
    try {
      await writeAll(this.#file, line, this.#size);
      await this.#file.sync();
    } catch (error) {
      // A full disk takes part of a line; the next entry must not stand behind that part.
      await this.#file.truncate(this.#size);
      throw error;
    }
    this.#size += line.length;
    this.#head = sealed.hash;
    this.#entries.push(sealed);
  }

  /** The whole journal, all runs' entries, as it is on the disk now. */
  whole(): Pick<JournalContent, "entries" | "head"> {
    return { entries: this.#entries, head: this.#head };
  }

  async entries(): Promise<readonly JournalEntry[]> {
    return this.#entries.filter((entry) => entry.run === this.#writer.run);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += (await file.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  }
}

async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const file = await open(path, "wx+", 0o600);
  await syncDirectory(dirname(path));
  return file;
}
