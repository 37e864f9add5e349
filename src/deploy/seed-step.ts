import type { Observed } from "./observe-platform.ts";

/** What a standby's database is made by, where it is none yet or is asked for anew. Nothing of it is undone: the next deploy begins it again. Pure. */
export function seedStep(
  follows: string | undefined,
  database: Observed["database"],
  rebuild: boolean,
): { readonly id: string; readonly kind: "seed"; readonly title: string; readonly cause: string } | undefined {
  if (follows === undefined || (database === "follows" && !rebuild)) return undefined;
  const copy = `copy of the database of ${follows} from the offsite repository`;
  const titles = { none: `Make a ${copy}`, follows: `Throw the copy away, and make a new ${copy}`, own: `Set the database aside, and make a ${copy}` } as const;
  return { id: "seed", kind: "seed", title: titles[database], cause: rebuild ? "asked for" : "none yet" };
}

/** How its service is brought up then: the step has removed its container. */
export const MADE_ANEW = { service: "database", cause: "its data are new", container: "", before: "absent", isForced: false } as const;
