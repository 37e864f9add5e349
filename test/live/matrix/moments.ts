import { FIXTURES } from "../fixture-release.ts";

/** When a fault strikes: as soon as the run has written this down. */
export interface Moment {
  /** Whether the release is good, or breaks after users have been moved to it; or is good and comes by a canary. */
  readonly swap: "good" | "bad" | "canary";
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

/** While both releases are in the routes: at the beginning of a stage and at its end. */
const IN_CANARY = ["canary-50", "cron-stop"];

/** Every boundary of a good swap, every one of the way back from a bad one, and those in which both may have users. */
export const MOMENTS: readonly Moment[] = [
  ...STEPS.map((step): Moment => ({ swap: "good", step, state: "begun" })),
  { swap: "bad", step: "bake", state: "failed" },
  ...UNDONE.map((step): Moment => ({ swap: "bad", step, state: "undoing" })),
  ...IN_CANARY.map((step): Moment => ({ swap: "canary", step, state: "begun" })),
];

export function momentName({ swap, step, state }: Moment): string {
  return swap === "good" ? step : swap === "canary" ? `canary: ${step}` : `bad: ${step} ${state}`;
}

export const BAD = FIXTURES.breaksLater;
