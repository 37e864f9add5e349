import { countOf } from "../kernel/count-of.ts";
import { asMillwrightError } from "../kernel/errors.ts";
import { eventSchema, type Events, type MillwrightEvent } from "../kernel/events.ts";
import { LineFile } from "../kernel/line-file.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { redactValue } from "../kernel/secret.ts";

/**
 * A run's events.jsonl: what is emitted is in the file when `emit` returns. What a full disk does not take is lost, for the run must not fail of what is
 * told of it: the journal, which has the truth, asks for the room. The next event that is taken tells of the loss.
 */
export class RunEvents implements Events, Disposable {
  readonly #file: LineFile;
  #lost: { readonly events: number; readonly why: string } | undefined;

  constructor(path: string) {
    this.#file = new LineFile(path, 0o600);
  }

  emit(event: MillwrightEvent): void {
    try {
      if (this.#lost !== undefined) this.#write(lossOf(this.#lost, event.at));
      this.#lost = undefined;
      this.#write(event);
    } catch (error) {
      this.#lost = { events: (this.#lost?.events ?? 0) + 1, why: asMillwrightError(error).message };
    }
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  #write(event: MillwrightEvent): void {
    this.#file.append(JSON.stringify(redactValue(event)));
  }
}

function lossOf(lost: { readonly events: number; readonly why: string }, at: string): MillwrightEvent {
  return { kind: "note", at, level: "warning", text: `${countOf(lost.events, "event")} before this could not be written: ${lost.why}` };
}

/** One line of an events file; undefined for a torn one, or one of a kind that this version does not know. */
export function parseEventLine(line: string): MillwrightEvent | undefined {
  return eventSchema.safeParse(parseJson(line)).data;
}
