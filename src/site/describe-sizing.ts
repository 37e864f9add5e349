import type { Sizing } from "./sizing.ts";

export interface SizingRow {
  readonly what: string;
  readonly value: string;
  readonly why: string;
}

/** A sizing as the wizard and `check` show it. */
export function describeSizing(sizing: Sizing): readonly SizingRow[] {
  const { memory, postgres } = sizing;
  const rows: SizingRow[] = [
    { what: "Odoo workers", value: String(sizing.workers), why: "one for about six people at once, within what the processors carry" },
    { what: "Scheduled jobs at once", value: String(sizing.cronThreads), why: "in a container of their own" },
    { what: "Odoo web", value: size(memory.web), why: "reserved twice: both colours run in an upgrade" },
    { what: "Odoo scheduled jobs", value: size(memory.cron), why: "reserved twice" },
    { what: "PostgreSQL", value: size(memory.database), why: `${size(postgres.sharedBuffers)} of shared buffers, ${postgres.maxConnections} connections` },
  ];
  if (memory.cache > 0) rows.push({ what: "Redis", value: size(memory.cache), why: "sessions" });
  rows.push({ what: "Traefik", value: size(memory.edge), why: "the front door" });
  if (memory.monitoring > 0) rows.push({ what: "Monitoring", value: size(memory.monitoring), why: "Prometheus and its exporters" });
  rows.push({ what: "Backup", value: size(memory.backup), why: "snapshots of the files" });
  rows.push({ what: "All together", value: size(reservedMemory(sizing)), why: "limits of all containers while two colours run" });
  return rows;
}

/** The limits of all containers added up, with both colours running. */
export function reservedMemory(sizing: Sizing): number {
  const { memory } = sizing;
  return 2 * (memory.web + memory.cron) + memory.database + memory.cache + memory.edge + memory.monitoring + memory.backup;
}

function size(bytes: number): string {
  const mib = bytes / 1024 ** 2;
  return mib >= 1024 ? `${(mib / 1024).toFixed(1)} GiB` : `${Math.round(mib)} MiB`;
}
