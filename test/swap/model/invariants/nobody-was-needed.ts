import type { Rest } from "../rest.ts";

/** The machine has mended itself. A person is needed only where whoever asked for the run was killed before anything was started. */
export function nobodyWasNeeded({ resumes, machine }: Rest): readonly string[] {
  const excused = Array.from({ length: machine.killedInMidAsking }, () => "the unit was inactive");
  return resumes.filter((reason, index) => reason !== excused[index]).map((reason) => `a person had to resume the run: ${reason}`);
}
