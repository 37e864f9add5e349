/** Lays one settings tree over another: maps merge, everything else (lists, scalars, the certificate, the offsite repository) is replaced. */
export function overlaySettings(base: Readonly<Record<string, unknown>>, over: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isMap(below) && isMap(value) && !WHOLE.has(key) ? overlaySettings(below, value) : value;
  }
  return merged;
}

/** Maps whose keys depend on their `kind`: half of one kind under half of another would be neither. */
const WHOLE = new Set(["certificate", "offsite"]);

function isMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
