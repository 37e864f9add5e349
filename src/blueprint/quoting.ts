/**
 * One function per text format: gives the value as the format's own parser reads it back, or throws when the format has no way of
 * writing it. YAML and JSON need none: they are data until the end.
 */
export const QUOTING = {
  /** odoo.conf, read by Python's RawConfigParser: a bare value, stripped, in which Odoo takes some words for booleans. */
  ini: (value: string): string => {
    refuseControls(value, "odoo.conf");
    if (value !== value.trim() || value === "") throw new Error(`odoo.conf cannot hold ${JSON.stringify(value)}: it would be stripped`);
    if (/^(true|false|none)$/i.test(value)) throw new Error(`odoo.conf cannot hold the text ${JSON.stringify(value)}: Odoo would not read it as text`);
    return value;
  },
  /** postgresql.conf: a quoted string with C escapes. */
  pg: (value: string): string => {
    refuseControls(value, "postgresql.conf");
    return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
  },
  /** redis.conf and ACL files. */
  redis: (value: string): string => {
    refuseControls(value, "redis.conf");
    return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  },
  /** A word of a POSIX shell. */
  sh: (value: string): string => {
    refuseControls(value, "a shell script");
    return `'${value.replaceAll("'", String.raw`'\''`)}'`;
  },
  json: (value: string): string => JSON.stringify(value),
} as const satisfies Record<string, (value: string) => string>;

function refuseControls(value: string, format: string): void {
  if (/[\p{Cc}\u2028\u2029]/u.test(value)) throw new Error(`${format} cannot hold ${JSON.stringify(value)}: it has a control character`);
}
