import type { MillwrightEvent } from "../kernel/events.ts";
import { describeLonger, describeNext, describePreview, describeProbes, describeTraffic, describeUsers } from "./describe-run.ts";
import { advance, NOTHING_SEEN, type RunView, watchName } from "./run-view.ts";

const MARKS = { begun: "…", done: "✔", failed: "✘", undoing: "↩", undone: "↩", skipped: "-" } as const;
/** Between two words on how a bake goes. */
const BAKE_MILLISECONDS = 10_000;
/** Between two words of a run that waits for a person. */
const WAIT_MILLISECONDS = 600_000;
/** Under the time of a line. */
const INDENT = " ".repeat(12);

/** A run as plain lines: the same as the live view tells, where no terminal can draw it. */
export class PlainLines {
  #view: RunView = NOTHING_SEEN;
  #told = Number.NEGATIVE_INFINITY;

  /** The lines that an event is worth; that a step has begun is the caller's to delay. */
  of(event: MillwrightEvent): readonly string[] {
    this.#view = advance(this.#view, event, Date.parse(event.at));
    switch (event.kind) {
      case "plan":
        return this.#plan(event.at, event.purpose);
      case "step": {
        if (event.state === "begun") this.#told = Number.NEGATIVE_INFINITY;
        const suffix = event.state === "undoing" ? " (undoing)" : event.state === "undone" ? " (undone)" : "";
        return [`${clockTime(event.at)}  ${MARKS[event.state]} ${event.title}${suffix}${event.detail === undefined ? "" : `: ${event.detail}`}`];
      }
      case "note":
        return [`${clockTime(event.at)}  ${event.level === "warning" ? "! " : "  "}${event.text}`];
      case "probe":
        return event.verdict === "pass" ? [] : [`${clockTime(event.at)}    ${event.colour} ${event.name}: ${event.verdict}, ${event.detail}`];
      case "preview":
        this.#told = Date.parse(event.at);
        return describePreview(event).map((text, index) => `${index === 0 ? `${clockTime(event.at)}    preview: ` : INDENT}${text}`);
      case "progress":
        return this.#view.preview === undefined ? this.#watch(event) : this.#wait(event);
      case "traffic":
      // The command's own result or error says it.
      case "ended":
        return [];
    }
  }

  #plan(at: string, purpose: string): readonly string[] {
    const users = describeUsers(this.#view);
    return [
      `${clockTime(at)}  ${purpose}`,
      ...(users === undefined ? [] : [`${INDENT}${users}`]),
      `${INDENT}Ctrl-C leaves, the run goes on: millwright follow. It is undone by: millwright abort`,
    ];
  }

  #wait({ at, done, total }: Extract<MillwrightEvent, { kind: "progress" }>): readonly string[] {
    if (Date.parse(at) - this.#told < WAIT_MILLISECONDS) return [];
    this.#told = Date.parse(at);
    return [`${clockTime(at)}    waits for a person, ${done} of ${total ?? "?"} s: millwright resume, or millwright abort`];
  }

  #watch({ at, id, done, total, longer }: Extract<MillwrightEvent, { kind: "progress" }>): readonly string[] {
    const name = watchName(id);
    if (name === undefined) return [];
    if (Date.parse(at) - this.#told < BAKE_MILLISECONDS) return [];
    this.#told = Date.parse(at);
    const probes = describeProbes(this.#view);
    const more = longer === undefined ? "" : `, ${describeLonger(longer)}`;
    return [
      `${clockTime(at)}    ${name === "bake" ? name : `${name}:`} ${done} of ${total ?? "?"} s${more}${probes === undefined ? "" : `; probes of ${probes}`}`,
      ...describeTraffic(this.#view).map((text) => `${INDENT}${text}`),
      `${INDENT}next: ${describeNext(this.#view) ?? "the run ends"}`,
    ];
  }
}

function clockTime(at: string): string {
  return at.slice(11, 19);
}
