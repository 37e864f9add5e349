/** What PostgreSQL takes only when it starts. */
export const START_SETTINGS = "database/postgresql.conf";

/**
 * Names of the settings whose values differ between two texts of postgresql.conf, sorted. One that has only moved to another file is not among them.
 * Pure.
 */
export function changedSettings(before: string, after: string, elsewhere = ""): readonly string[] {
  const [old, now, others] = [before, after, elsewhere].map(settingsIn) as [Settings, Settings, Settings];
  const names = [...new Set([...old.keys(), ...now.keys()])].filter((name) => !others.has(name));
  return names.filter((name) => old.get(name) !== now.get(name)).sort();
}

type Settings = ReadonlyMap<string, string>;

function settingsIn(text: string): Settings {
  const lines = text.split("\n").map((line) => /^\s*([a-z_][a-z0-9_.]*)\s*=\s*(.*?)\s*$/i.exec(line));
  return new Map(lines.flatMap((match) => (match === null ? [] : [[match[1] ?? "", match[2] ?? ""] as const])));
}
