import type { Note } from "../series.ts";
import { HOLDS, isDue, lastWith, type Rule } from "./rule.ts";

/** Scheduled jobs that do not run are told of; a bake is too short to take a release back for them. */
export const cronRule: Rule = (policy, series) => {
  const cron = lastWith(series.rounds, "cron");
  if (cron === undefined || !isDue(policy, series)) return HOLDS;
  const note = (text: string): readonly Note[] => [{ rule: "cron", about: "jobs", level: "warning", text }];
  if (cron.ran > 0) return HOLDS;
  if (cron.sessions === 0) return { ...HOLDS, notes: note("the cron container has no session in the database and no scheduled job has run since the switch") };
  if (cron.due > 0) return { ...HOLDS, notes: note(`none of ${cron.due} scheduled jobs that were due has run yet since the switch`) };
  return HOLDS;
};
