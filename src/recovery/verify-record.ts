import { join } from "node:path";
import * as z from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { writeDurable } from "../kernel/durable-file.ts";
import { readState } from "../kernel/read-state.ts";
import { type Place, placeSchema } from "./repositories.ts";

/** The last verification of a place's repositories that found them good. */
const verifyRecordSchema = z.object({
  version: z.literal(1),
  run: z.string(),
  at: z.string(),
  place: placeSchema,
  /** Which quarter of the files' repository was read last, from 1 on; 4 after all of it. */
  quarter: z.int().min(1).max(4),
});

export type VerifyRecord = z.infer<typeof verifyRecordSchema>;

type Paths = Pick<HostPaths, "backups">;

export async function writeVerifyRecord({ backups }: Paths, record: VerifyRecord): Promise<void> {
  await writeDurable(fileOf(backups, record.place), `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
}

export async function readVerifyRecord({ backups }: Paths, place: Place): Promise<VerifyRecord | undefined> {
  return await readState(fileOf(backups, place), verifyRecordSchema);
}

function fileOf(backups: string, place: Place): string {
  return join(backups, `verify-${place}.json`);
}
