import * as z from "zod";
import { MillwrightError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { Snapshot, SnapshotResult } from "./file-repository.ts";

const summarySchema = z.object({
  message_type: z.literal("summary"),
  snapshot_id: z.string(),
  total_files_processed: z.number(),
  total_bytes_processed: z.number(),
  data_added_packed: z.number().optional(),
  data_added: z.number(),
});

const snapshotsSchema = z.array(z.object({ id: z.string(), time: z.iso.datetime({ offset: true }), tags: z.array(z.string()).nullish() }));

/** The last line of `restic backup --json`. */
export function snapshotOfBackup(output: string): SnapshotResult {
  for (const line of output.split("\n").reverse()) {
    const summary = summarySchema.safeParse(parseJson(line)).data;
    if (summary === undefined) continue;
    return {
      id: summary.snapshot_id,
      files: summary.total_files_processed,
      bytes: summary.total_bytes_processed,
      added: summary.data_added_packed ?? summary.data_added,
    };
  }
  throw new MillwrightError("BACKUP_FAILED", "restic did not say which snapshot it has made.");
}

/** `restic snapshots --json`, oldest first. */
export function snapshotsOfListing(output: string): readonly Snapshot[] {
  const line = output.split("\n").find((candidate) => candidate.startsWith("["));
  const parsed = snapshotsSchema.safeParse(parseJson(line ?? ""));
  if (!parsed.success) throw new MillwrightError("ARCHIVE_BROKEN", "restic listed its snapshots in a form that this version does not know.");
  return parsed.data.map(({ id, time, tags }) => ({ id, at: new Date(time).toISOString(), tags: tags ?? [] })).sort((a, b) => (a.at < b.at ? -1 : 1));
}

/** Why restic ended, by its exit status (restic's page on scripting); undefined for one that is no failure. */
export function resticProblem(code: number): string | undefined {
  switch (code) {
    case 0:
      return undefined;
    case 3:
      return "some files could not be read";
    case 10:
      return "there is no repository";
    case 11:
      return "another program holds the repository's lock";
    case 12:
      return "the repository was made with another key";
    // KILL: by `timeout`, by the kernel, or by somebody.
    case 137:
      return "it was killed: it did not end in time, or needed more memory than it may have";
    default:
      return `restic ended with ${code}`;
  }
}
