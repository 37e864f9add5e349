import { eventSchema, type Events, type MillwrightEvent } from "../kernel/events.ts";
import { LineFile } from "../kernel/line-file.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { redactValue } from "../kernel/secret.ts";

/** A run's events.jsonl: what is emitted is in the file when `emit` returns. */
export class RunEvents implements Events, Disposable {
  readonly #file: LineFile;

  constructor(path: string) {
    this.#file = new LineFile(path, 0o600);
  }

  emit(event: MillwrightEvent): void {
    this.#file.append(JSON.stringify(redactValue(event)));
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/** One line of an events file; undefined for a torn one, or one of a kind that this version does not know. */
export function parseEventLine(line: string): MillwrightEvent | undefined {
  return eventSchema.safeParse(parseJson(line)).data;
}
