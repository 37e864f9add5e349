/** A hole in the archived log. */
export interface Gap {
  /** The last segment before it and the first after it; `before` is undefined when what a backup needs is missing from its beginning. */
  readonly before: string | undefined;
  readonly after: string;
  readonly missing: number;
}

const SEGMENT = /^[0-9A-F]{24}$/;
/** Segments of 16 MiB: the last eight digits count to 0xFF, then the eight before them rise. */
const PER_LOG = 0x100;

/**
 * Holes in the archived log from the oldest backup on, timeline by timeline, and segments that a backup itself needs and the archive lacks.
 * pgBackRest's `check` and `verify` see neither a lost segment nor one that `archive-push-queue-max` dropped. Pure.
 */
export function findGaps(archived: readonly string[], backups: readonly { readonly firstSegment: string; readonly lastSegment: string }[]): readonly Gap[] {
  const segments = [...new Set(archived.filter((name) => SEGMENT.test(name)))].sort();
  const [oldest] = backups.map(({ firstSegment }) => firstSegment).sort();
  if (oldest === undefined) return [];
  const known = new Set(segments);
  const gaps: Gap[] = [];
  const wanted = segments.filter((name) => name >= oldest);
  let before: string | undefined;
  for (const segment of wanted) {
    if (before !== undefined && timelineOf(before) === timelineOf(segment)) {
      const missing = indexOf(segment) - indexOf(before) - 1;
      if (missing > 0) gaps.push({ before, after: segment, missing });
    }
    before = segment;
  }
  for (const { firstSegment, lastSegment } of backups) {
    // A hole in the middle of a backup's own log is found above; here its ends.
    for (const end of new Set([firstSegment, lastSegment])) {
      if (!known.has(end)) gaps.push({ before: undefined, after: end, missing: 1 });
    }
  }
  return gaps;
}

/** Whether nothing of a hole is needed by what begins at a segment. Pure. */
export function isBefore({ before, after }: Gap, segment: string): boolean {
  return after < segment || (after === segment && before !== undefined);
}

/** Whether a hole takes something of what a backup itself needs. Pure. */
export function isWithin({ before, after }: Gap, backup: { readonly firstSegment: string; readonly lastSegment: string }): boolean {
  if (before === undefined) return after === backup.firstSegment || after === backup.lastSegment;
  return after > backup.firstSegment && before < backup.lastSegment;
}

function timelineOf(segment: string): string {
  return segment.slice(0, 8);
}

function indexOf(segment: string): number {
  return Number.parseInt(segment.slice(8, 16), 16) * PER_LOG + Number.parseInt(segment.slice(16), 16);
}
