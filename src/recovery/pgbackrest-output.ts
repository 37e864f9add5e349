import * as z from "zod";
import { MillwrightError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { DatabaseBackup } from "./database-archive.ts";

const infoSchema = z.array(
  z.object({
    status: z.object({ code: z.number(), message: z.string() }),
    repo: z.array(z.object({ status: z.object({ message: z.string() }) })).default([]),
    backup: z
      .array(
        z.object({
          label: z.string(),
          type: z.enum(["full", "diff", "incr"]),
          error: z.boolean().nullish(),
          timestamp: z.object({ start: z.number(), stop: z.number() }),
          archive: z.object({ start: z.string().nullable(), stop: z.string().nullable() }),
          lsn: z.object({ stop: z.string().nullish() }).nullish(),
          info: z.object({ size: z.number(), repository: z.object({ delta: z.number() }) }),
        }),
      )
      .default([]),
  }),
);

/** No backup yet, or none any more: the repository is in order. */
const IN_ORDER = new Set([0, 2]);

/** `pgbackrest info --output=json` of one stanza → its finished backups. */
export function backupsOfInfo(output: string): readonly DatabaseBackup[] {
  const parsed = infoSchema.safeParse(parseJson(jsonIn(output, "[")));
  if (!parsed.success)
    throw new MillwrightError("ARCHIVE_BROKEN", "pgBackRest told its backups in a form that this version does not know.", { cause: parsed.error });
  const [stanza] = parsed.data;
  if (stanza === undefined) return [];
  if (!IN_ORDER.has(stanza.status.code)) {
    // Of one that it does not reach pgBackRest says "other" here, and why only of the repository; hints of its own follow on further lines.
    const why = (stanza.repo[0]?.status.message ?? stanza.status.message).split("\n")[0] ?? "";
    throw new MillwrightError("ARCHIVE_BROKEN", `The database's repository is not in order: ${why}.`);
  }
  return stanza.backup.map(({ label, type, error, timestamp, archive, lsn, info }) => ({
    label,
    type,
    began: new Date(timestamp.start * 1000).toISOString(),
    ended: new Date(timestamp.stop * 1000).toISOString(),
    size: info.size,
    added: info.repository.delta,
    firstSegment: archive.start ?? "",
    lastSegment: archive.stop ?? "",
    ...(typeof lsn?.stop === "string" ? { end: lsn.stop } : {}),
    isDamaged: error === true,
  }));
}

const identitySchema = z.array(z.object({ db: z.array(z.object({ "system-id": z.number() })).default([]) }));

/** Identity of the database server that a repository was last made ready for; undefined for an empty one. Numbers beyond 2^53 are rounded. */
export function databaseOfInfo(output: string): number | undefined {
  return identitySchema.safeParse(parseJson(jsonIn(output, "["))).data?.[0]?.db.at(-1)?.["system-id"];
}

/** `pgbackrest repo-ls --recurse --output=json` of the archive → names of segments, without the checksum behind them. */
export function segmentsOfListing(output: string): readonly string[] {
  return filesOfListing(output).flatMap((path) => /(?:^|\/)([0-9A-F]{24})-[0-9a-f]{40}(?:\.\w+)?$/.exec(path)?.[1] ?? []);
}

/** The same → the history of the newest line of the log, of the database that the repository was last made ready for (`18-2` after `18-1`). */
export function newestHistoryOfListing(output: string): { readonly path: string; readonly timeline: number } | undefined {
  const histories = filesOfListing(output).flatMap((path) => {
    const [, database = "", timeline = ""] = /^\d+-(\d+)\/([0-9A-F]{8})\.history$/.exec(path) ?? [];
    return timeline === "" ? [] : [{ path, database: Number(database), timeline: Number.parseInt(timeline, 16) }];
  });
  const newest = histories.sort((a, b) => a.database - b.database || a.timeline - b.timeline).at(-1);
  return newest === undefined ? undefined : { path: newest.path, timeline: newest.timeline };
}

function filesOfListing(output: string): readonly string[] {
  const listing = z.record(z.string(), z.object({ type: z.string() })).safeParse(parseJson(jsonIn(output, "{")));
  if (!listing.success) throw new MillwrightError("ARCHIVE_BROKEN", "pgBackRest listed its archive in a form that this version does not know.");
  return Object.entries(listing.data).flatMap(([path, { type }]) => (type === "file" ? [path] : []));
}

/**
 * `pgbackrest verify --output=text` → what is wrong. Its exit status is 0 also for damaged files (pgbackrest#2502), so its words count: every
 * status that is not good, and every number of bad files that is not 0.
 */
export function problemsOfVerify(output: string): readonly string[] {
  const [head = "", ...sections] = output.split(/^\s*(?=(?:archiveId|backup): )/m);
  const status = /^status: (.*)$/m.exec(head)?.[1];
  if (status === undefined) return ["pgBackRest did not say what it has verified"];
  const problems = sections.flatMap((section) => {
    const subject = section.slice(0, section.search(/,|$/m));
    const bad = [...section.matchAll(/(missing|checksum invalid|size invalid|other): ([1-9]\d*)/g)].map(([, what, count]) => `${count} × ${what}`);
    const verdict = /^backup: .*\bstatus: ([\w-]+)/.exec(section)?.[1] ?? "valid";
    if (bad.length > 0) return [`${subject}: ${bad.join(", ")}`];
    return verdict === "valid" ? [] : [`${subject}: ${verdict}`];
  });
  return status === "ok" || problems.length > 0 ? problems : [`status: ${status}`];
}

/** Why pgBackRest gave up, by the last error among its lines; undefined when it names none. */
export function reasonIn(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => line.includes("ERROR:"))?.replace(/^.*ERROR:\s*(\[\d+\]:\s*)?/, "");
}

/** Warnings may stand before the document. */
function jsonIn(output: string, opening: "[" | "{"): string {
  const line = output.split("\n").findIndex((candidate) => candidate.startsWith(opening));
  return line === -1 ? output : output.split("\n").slice(line).join("\n");
}
