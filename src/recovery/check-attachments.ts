import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { hasCode, isMissing } from "../kernel/durable-file.ts";

/** A row of Odoo's that names a file of the filestore. */
export interface Attachment {
  /** Folder and name, which is the SHA-1 of the content: `ab/ab…`. */
  readonly file: string;
  /** Bytes, as the row has them. */
  readonly size: number;
  /** When the row was written, ISO 8601. */
  readonly at: string;
}

export interface AttachmentCheck {
  readonly checked: number;
  readonly bytes: number;
  /** Not there, but younger than the snapshot that the files are from. */
  readonly tooYoung: number;
  /** What is wrong, by file; the first so many. */
  readonly problems: readonly string[];
  readonly bad: number;
}

const FILE = /^[0-9a-f]{2}\/[0-9a-f]{40}$/;
const AT_ONCE = 4;
const SHOWN = 10;

/** Reads every file: present, of its size, and of the content that its name says. `folder` is that of one database. */
export async function checkAttachments(folder: string, attachments: readonly Attachment[], snapshotAt: string, signal: AbortSignal): Promise<AttachmentCheck> {
  let [bytes, tooYoung, bad] = [0, 0, 0];
  const problems: string[] = [];
  const waiting = attachments[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (const attachment of waiting) {
      signal.throwIfAborted();
      const problem = await problemOf(folder, attachment);
      if (problem === undefined) bytes += attachment.size;
      else if (problem === MISSING && attachment.at > snapshotAt) tooYoung += 1;
      else {
        bad += 1;
        if (problems.length < SHOWN) problems.push(`${attachment.file} ${problem}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { checked: attachments.length, bytes, tooYoung, problems, bad };
}

export const NOTHING_CHECKED: AttachmentCheck = { checked: 0, bytes: 0, tooYoung: 0, problems: [], bad: 0 };

/** Two parts of the same filestore. Pure. */
export function addChecks(one: AttachmentCheck, other: AttachmentCheck): AttachmentCheck {
  return {
    checked: one.checked + other.checked,
    bytes: one.bytes + other.bytes,
    tooYoung: one.tooYoung + other.tooYoung,
    problems: [...one.problems, ...other.problems].slice(0, SHOWN),
    bad: one.bad + other.bad,
  };
}

const MISSING = "is missing";

async function problemOf(folder: string, { file, size }: Attachment): Promise<string | undefined> {
  if (!FILE.test(file)) return "is not a name of the filestore's";
  let handle;
  try {
    // A pipe that Odoo had left there would be waited for until the end of days.
    handle = await open(join(folder, file), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return MISSING;
    if (hasCode(error, "ELOOP")) return "is a link";
    throw error;
  }
  try {
    if (!(await handle.stat()).isFile()) return "is no file";
    const hash = createHash("sha1");
    let length = 0;
    for await (const chunk of handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      length += chunk.length;
    }
    if (length !== size) return `has ${length} bytes instead of ${size}`;
    return hash.digest("hex") === file.slice(3) ? undefined : "has another content than its name says";
  } finally {
    await handle.close();
  }
}
