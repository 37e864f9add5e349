import type { Look } from "./shapes.ts";

export interface Point {
  /** Seconds since the run began. */
  readonly at: number;
  readonly value: number;
  /** Begins a new stroke: nothing is known of the time since the point before. */
  readonly isApart?: boolean;
}

/** One line of a chart. */
export interface Line {
  readonly name: string;
  readonly look: Look;
  /** Drawn thinner and without shapes: a companion of another line. */
  readonly isMinor?: boolean;
  readonly points: readonly Point[];
}

/** A value to compare with, drawn across the whole chart. */
export interface Reference {
  readonly name: string;
  readonly look: Look;
  readonly value: number;
}

export interface Chart {
  readonly id: string;
  readonly title: string;
  /** What is measured and in which unit, in a sentence. */
  readonly about: string;
  readonly unit: string;
  readonly lines: readonly Line[];
  readonly references: readonly Reference[];
  /** Things that went wrong, marked below the chart. */
  readonly faults: readonly { readonly at: number; readonly text: string }[];
}
