import type { DatabaseBackup } from "./database-archive.ts";

/** The line of the log that PostgreSQL follows to its end, and where each line before it was left for it. */
export interface NewestLine {
  readonly timeline: number;
  /** Positions in the log, by timeline; those that are not here are side branches. */
  readonly left: ReadonlyMap<number, bigint>;
}

/** A timeline's history, as PostgreSQL writes it: `1\t0/5000138\t…`, one line for each timeline before it. Pure. */
export function newestLine(timeline: number, history: string): NewestLine {
  const before = [...history.matchAll(/^(\d+)\t([0-9A-F]+\/[0-9A-F]+)\t/gm)].map(
    ([, number, position = ""]) => [Number(number), positionOf(position)] as const,
  );
  return { timeline, left: new Map(before) };
}

/** Whether the log leads on from a backup to the end of a line: from one made after the line was left, PostgreSQL refuses to follow. Pure. */
export function leadsTo(backup: Pick<DatabaseBackup, "firstSegment" | "end">, line: NewestLine): boolean {
  const timeline = Number.parseInt(backup.firstSegment.slice(0, 8), 16);
  if (timeline === line.timeline) return true;
  const left = line.left.get(timeline);
  return left !== undefined && (backup.end === undefined || positionOf(backup.end) <= left);
}

function positionOf(position: string): bigint {
  const [log = "0", offset = "0"] = position.split("/");
  return (BigInt(`0x${log}`) << 32n) + BigInt(`0x${offset}`);
}
