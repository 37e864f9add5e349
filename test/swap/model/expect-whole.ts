import { againChangesNothing } from "./invariants/again-changes-nothing.ts";
import { answersAreTrue } from "./invariants/answers-are-true.ts";
import { databaseIsClean } from "./invariants/database-is-clean.ts";
import { decisionHolds } from "./invariants/decision-holds.ts";
import { followTellsTheLastRun } from "./invariants/follow-tells-the-last-run.ts";
import { watchJobs } from "./invariants/jobs-never-meet.ts";
import { journalExplains } from "./invariants/journal-explains.ts";
import { watchData } from "./invariants/no-data-lost.ts";
import { nobodyWasNeeded } from "./invariants/nobody-was-needed.ts";
import { nothingLeftOver } from "./invariants/nothing-left-over.ts";
import { previewsAreOver, watchPreviews } from "./invariants/only-testers-are-led.ts";
import { oneReleaseServes } from "./invariants/one-release-serves.ts";
import type { Machine } from "./machine.ts";
import { play, type Played } from "./play.ts";
import { observe, type Rest } from "./rest.ts";
import { type Story, tell } from "./story.ts";

const SHOWN = 80;

/** Plays a story and throws, with the story and what was done, when the machine does not end whole. */
export async function expectWhole(story: Story): Promise<Rest> {
  let machine: Machine | undefined;
  try {
    let [jobs, data, previews]: (readonly string[])[] = [];
    const played: Played = await play(story, (made) => {
      machine = made;
      jobs = watchJobs(made);
      data = watchData(made);
      previews = watchPreviews(made);
    });
    const rest = await observe(played);
    const wrong = [
      ...(jobs ?? []),
      ...(data ?? []),
      ...(previews ?? []),
      ...nobodyWasNeeded(rest),
      ...oneReleaseServes(rest),
      ...journalExplains(rest),
      ...decisionHolds(rest),
      ...databaseIsClean(rest),
      ...nothingLeftOver(rest),
      ...previewsAreOver(rest),
      ...answersAreTrue(rest),
      ...(await followTellsTheLastRun(rest)),
      ...(await againChangesNothing(rest)),
    ];
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
    return rest;
  } catch (error) {
    const trace = machine?.trace.slice(-SHOWN).join("\n") ?? "";
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n\nin ${tell(story)}\n\nThe last of what was done:\n${trace}`, { cause: error });
  }
}
