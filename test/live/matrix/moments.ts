import { FIXTURES } from "../fixture-release.ts";

/** When a fault strikes: as soon as the run has written this down. */
export interface Moment {
  /** Whether the release is good, or breaks after users have been moved to it. */
  readonly swap: "good" | "bad";
  readonly step: string;
  readonly state: "begun" | "failed" | "undoing";
}

const STEPS = [
  "image",
  "baseline",
  "up",
  "answers",
  "cron-stop",
  "warm",
  "cron-ended",
  "switch",
  "front",
  "cron-start",
  "bake",
  "confirm",
  "drain",
  "retire",
  "tidy",
];
/** What is undone of a release that loses its bake, latest first. */
const UNDONE = ["switch", "cron-stop", "up"];

/** Every boundary of a good swap, and every one of the way back from a bad one. */
export const MOMENTS: readonly Moment[] = [
  ...STEPS.map((step): Moment => ({ swap: "good", step, state: "begun" })),
  { swap: "bad", step: "bake", state: "failed" },
  ...UNDONE.map((step): Moment => ({ swap: "bad", step, state: "undoing" })),
];

export function momentName({ swap, step, state }: Moment): string {
  return swap === "good" ? step : `bad: ${step} ${state}`;
}

export const BAD = FIXTURES.breaksLater;
