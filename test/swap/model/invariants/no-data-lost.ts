import type { Machine } from "../machine.ts";

/** Watches a machine for a database that is dropped after users could get in; returns what it has seen. */
export function watchData(machine: Machine): readonly string[] {
  const seen: string[] = [];
  machine.odoo.onDrop = () => {
    const decided = /"kind":"done","step":"front"/.test(machine.disk.text(machine.paths.journal) ?? "");
    if (decided && machine.odoo.database.filled) seen.push("the database was dropped after users had been let in");
  };
  return seen;
}
