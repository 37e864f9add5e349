import { FIXTURES } from "../fixture-release.ts";

/** What a swap brings: a release that is good, that breaks while it is watched, that works for nobody who is moved to it, that comes by a canary. */
const SWAPS = { good: undefined, bad: FIXTURES.breaksLater, unfit: FIXTURES.brokenBehindProxy, canary: undefined } as const;

/** When a fault strikes: as soon as the run has written this down. */
export interface Moment {
  readonly swap: keyof typeof SWAPS;
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
  { swap: "unfit", step: "front", state: "failed" },
  ...IN_CANARY.map((step): Moment => ({ swap: "canary", step, state: "begun" })),
];

export function momentName({ swap, step, state }: Moment): string {
  return swap === "good" ? step : swap === "canary" ? `canary: ${step}` : `${swap}: ${step} ${state}`;
}

/** The release that must not stay; undefined of a swap to a good one. */
export function badOf({ swap }: Moment): number | undefined {
  return SWAPS[swap];
}

export const BAD = Object.values(SWAPS).filter((fixture) => fixture !== undefined);
