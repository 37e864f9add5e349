import type { BackupRecord } from "../recovery/backup-record.ts";
import type { DrillRecord } from "../recovery/drill-record.ts";

export interface HostMetrics {
  readonly entries: number;
  /** Hash of the journal's last entry. */
  readonly head: string;
  readonly serving?: { readonly colour: string; readonly release: string; readonly since: string };
  /** The last backup, and the last drill of the backups on the host that was passed. */
  readonly backup?: Pick<BackupRecord, "ended" | "database" | "files">;
  /** When the last one in the offsite repository ended, ISO 8601. */
  readonly offsiteEnded?: string;
  readonly drill?: Pick<DrillRecord, "at" | "rpoSeconds" | "rtoSeconds" | "attachments">;
  /** Newest first; of each kind the newest is told. */
  readonly runs: readonly { readonly kind: string; readonly outcome: string; readonly began: string; readonly ended?: string }[];
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

/** What the agent tells Prometheus, in its text format. Pure. */
export function metricsText(metrics: HostMetrics): string {
  const { serving, backup, offsiteEnded, drill } = metrics;
  const newest = [...new Map([...metrics.runs].reverse().map((run) => [run.kind, run])).values()];
  return [
    family("millwright_journal_entries", "Entries in the host's journal.", [[{}, metrics.entries]]),
    family("millwright_journal_head_info", "Hash of the journal's last entry: an entry of its chain for ever.", [[{ head: metrics.head }, 1]]),
    family("millwright_serving_info", "The release that users are on.", serving === undefined ? [] : [[labelsOf(serving), 1]]),
    family("millwright_serving_since_timestamp_seconds", "Since when it serves.", serving === undefined ? [] : [[{}, seconds(serving.since)]]),
    family("millwright_backup_last_success_timestamp_seconds", "When the last whole backup ended.", backup === undefined ? [] : [[{}, seconds(backup.ended)]]),
    family("millwright_backup_last_size_bytes", "What it holds.", backup === undefined ? [] : sizesOf(backup, "size", "bytes")),
    family("millwright_backup_last_added_bytes", "What it added to the repositories.", backup === undefined ? [] : sizesOf(backup, "added", "added")),
    family(
      "millwright_backup_offsite_last_success_timestamp_seconds",
      "When the last backup in the offsite repository ended.",
      offsiteEnded === undefined ? [] : [[{}, seconds(offsiteEnded)]],
    ),
    family("millwright_drill_last_success_timestamp_seconds", "When a backup was last proven.", drill === undefined ? [] : [[{}, seconds(drill.at)]]),
    family("millwright_drill_rpo_seconds", "Work that would have been lost then.", drill === undefined ? [] : [[{}, drill.rpoSeconds]]),
    family("millwright_drill_rto_seconds", "From the begin of the restore to a login.", drill === undefined ? [] : [[{}, drill.rtoSeconds]]),
    family("millwright_drill_attachments", "Attachments that were there, each read whole.", drill === undefined ? [] : [[{}, drill.attachments]]),
    family(
      "millwright_last_run_began_timestamp_seconds",
      "When the last run of each kind began.",
      newest.map(({ kind, began }) => [{ kind }, seconds(began)]),
    ),
    family(
      "millwright_last_run_ended_timestamp_seconds",
      "When it ended, and how; absent while it waits for a person.",
      newest.flatMap(({ kind, outcome, ended }): Sample[] => (ended === undefined ? [] : [[{ kind, outcome }, seconds(ended)]])),
    ),
  ].join("");
}

function sizesOf({ database, files }: NonNullable<HostMetrics["backup"]>, ofDatabase: "size" | "added", ofFiles: "bytes" | "added"): readonly Sample[] {
  return [
    [{ kind: "database" }, database[ofDatabase]],
    [{ kind: "files" }, files[ofFiles]],
  ];
}

function labelsOf({ colour, release }: NonNullable<HostMetrics["serving"]>): Labels {
  return { colour, release };
}

function family(name: string, help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return "";
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...samples.map(([labels, value]) => `${name}${labelText(labels)} ${value}`), ""].join("\n");
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escape(value: string): string {
  return value
    .replaceAll("\\", String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll("\n", String.raw`\n`);
}

function seconds(at: string): number {
  return Date.parse(at) / 1000;
}
