import type { MillwrightEvent } from "../kernel/events.ts";

const MARKS = { begun: "…", done: "✔", failed: "✘", undoing: "↩", undone: "↩", skipped: "-" } as const;

/** An event as one plain line; undefined for those that only a live view shows. */
export function eventLine(event: MillwrightEvent): string | undefined {
  switch (event.kind) {
    case "plan":
      return `${clockTime(event.at)}  ${event.purpose}`;
    case "step": {
      const suffix = event.state === "undoing" ? " (undoing)" : event.state === "undone" ? " (undone)" : "";
      return `${clockTime(event.at)}  ${MARKS[event.state]} ${event.title}${suffix}${event.detail === undefined ? "" : `: ${event.detail}`}`;
    }
    case "note":
      return `${clockTime(event.at)}  ${event.level === "warning" ? "! " : "  "}${event.text}`;
    case "probe":
      return event.verdict === "pass" ? undefined : `${clockTime(event.at)}    ${event.colour} ${event.name}: ${event.verdict}, ${event.detail}`;
    case "progress":
    // The command's own result or error says it.
    case "ended":
      return undefined;
  }
}

function clockTime(at: string): string {
  return at.slice(11, 19);
}
