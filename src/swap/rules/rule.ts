import type { StackFacts } from "../../blueprint/stack.ts";
import type { BakeSeries, Note, Round, Verdict } from "../series.ts";

export type SwapPolicy = StackFacts["swap"];

/** What one rule says of what was seen so far. */
export interface RuleFinding {
  /** `unknown` while it cannot tell yet: the end of the bake waits for that. */
  readonly verdict: Verdict["verdict"];
  readonly detail: string;
  /** The service that broke the rule, where it is one. */
  readonly service?: string;
  /** Of `unknown`: what it comes to when the bake may not go on any longer. */
  readonly otherwise?: "pass" | "fail";
  readonly notes?: readonly Note[];
}

/** Pure. */
export type Rule = (policy: SwapPolicy, series: BakeSeries) => RuleFinding;

export const HOLDS: RuleFinding = { verdict: "pass", detail: "" };

/** Whether the bake has had its time: some rules judge the whole of it. */
export function isDue(policy: SwapPolicy, { rounds }: BakeSeries): boolean {
  return (rounds.at(-1)?.seconds ?? 0) >= policy.bakeSeconds;
}

/** The last round in which that could be read. */
export function lastWith<Key extends keyof Round>(rounds: readonly Round[], key: Key): NonNullable<Round[Key]> | undefined {
  return rounds.findLast((round) => round[key] !== undefined)?.[key] ?? undefined;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

export function milliseconds(seconds: number): string {
  return `${Math.round(seconds * 1000)} ms`;
}

/** `8 s`, `10 min`. */
export function span(seconds: number): string {
  return seconds >= 120 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds)} s`;
}
