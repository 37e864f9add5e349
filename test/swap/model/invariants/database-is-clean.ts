import type { Rest } from "../rest.ts";

/** The database is there; what a first release put into it is gone again if nobody was let in, and nobody is let in before it is set up. */
export function databaseIsClean({ machine, serving, journal }: Rest): readonly string[] {
  const { database } = machine.odoo;
  const wasOpen = journal.some((entry) => entry.kind === "done" && entry.step === "front");
  const wrong: string[] = [];
  if (!database.exists) wrong.push("there is no database");
  if (database.marker !== "") wrong.push("the database bears the mark of a first release, and none is under way");
  if (database.filled && !wasOpen) wrong.push("the database is filled, but the first release was taken back before anybody was let in");
  if (serving !== undefined && !database.isSetUp) wrong.push("users are let in, but the administrator has the password that everybody knows");
  return wrong;
}
