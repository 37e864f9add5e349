import type { Operation } from "./operators.ts";
import type { Start } from "./site.ts";

/** Containers that may end by themselves, by the name of their project and service. */
export const VICTIMS = ["blue/web", "blue/cron", "green/web", "green/cron", "database", "edge"] as const;
export type Victim = (typeof VICTIMS)[number];

/** Something that happens to the machine, or that somebody asks of it. */
export type Move =
  | (Operation & {
      /** The link to whoever asked breaks as soon as the run has begun. */
      readonly linkBreaks: boolean;
    })
  /** The process at work is killed, after so many parts of what it is doing: 0 is before it. */
  | { readonly do: "kill"; readonly parts: number }
  /** A call of the engine, of PostgreSQL or over HTTP fails, so many calls from now, at once or by a time-out, having been carried out or not. */
  | { readonly do: "error"; readonly calls: number; readonly isDone: boolean; readonly seconds: number }
  /** The engine's API is away. */
  | { readonly do: "engine-restart"; readonly seconds: number }
  | { readonly do: "crash"; readonly container: Victim; readonly oomKilled: boolean }
  /** The disk is full for so many changes that are tried. */
  | { readonly do: "disk-full"; readonly effects: number }
  | { readonly do: "clock-jump"; readonly seconds: number }
  | { readonly do: "power-cut"; readonly dice: number }
  | { readonly do: "reboot" }
  /** Traefik misses the next change of its file. */
  | { readonly do: "deaf" };

/**
 * A move, and when it comes: so many changes of the world after the one before, or just before something that is named, and so many
 * milliseconds later, which is in the middle of what takes time. A machine at rest is not waited for.
 */
export type Timed = ({ readonly after: number } | { readonly at: string }) & { readonly wait?: number; readonly move: Move };

/** A whole story, from a machine at rest to the last thing that happens to it. */
export interface Story {
  readonly start: Start;
  /** Milliseconds that scheduled jobs take to end. */
  readonly jobMilliseconds: number;
  /** Requests on the colour that serves that never end. */
  readonly inFlight: number;
  readonly moves: readonly Timed[];
}

/** A story as it can be read, and pasted into a test. */
export function tell(story: Story): string {
  const moves = story.moves.map((timed) => `    ${JSON.stringify(timed)},`).join("\n");
  return `{ start: "${story.start}", jobMilliseconds: ${story.jobMilliseconds}, inFlight: ${story.inFlight}, moves: [\n${moves}\n  ] }`;
}
