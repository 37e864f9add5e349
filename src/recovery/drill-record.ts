import { join } from "node:path";
import * as z from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { writeDurable } from "../kernel/durable-file.ts";
import { readState } from "../kernel/read-state.ts";
import { type Place, placeSchema } from "./repositories.ts";

/** What the last drill of a place's backups measured that was passed. */
export const drillRecordSchema = z.object({
  version: z.literal(1),
  run: z.string(),
  at: z.string(),
  backup: z.string(),
  /** Seconds of work that would have been lost, and seconds from the begin to a login. */
  rpoSeconds: z.number(),
  rtoSeconds: z.number(),
  attachments: z.number(),
  attachmentBytes: z.number(),
  /** Attachments younger than the last snapshot of the files. */
  tooYoung: z.number(),
  databaseBytes: z.number(),
  /** Where the backup was taken from; absent for the host's own repository. */
  from: placeSchema.optional(),
});

export type DrillRecord = z.infer<typeof drillRecordSchema>;

type Paths = Pick<HostPaths, "backups">;

export async function writeDrillRecord({ backups }: Paths, record: DrillRecord): Promise<void> {
  await writeDurable(fileOf(backups, placeOf(record)), `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
}

/** One place's backups prove nothing of the other's. */
export async function readDrillRecord({ backups }: Paths, place: Place): Promise<DrillRecord | undefined> {
  const record = await readState(fileOf(backups, place), drillRecordSchema);
  if (record !== undefined) return record;
  // Agents before this one kept the last drill alone, whatever its place.
  const only = await readState(join(backups, "drill.json"), drillRecordSchema);
  return only !== undefined && placeOf(only) === place ? only : undefined;
}

function placeOf({ from }: DrillRecord): Place {
  return from ?? "local";
}

function fileOf(backups: string, place: Place): string {
  return join(backups, `drill-${place}.json`);
}
