import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { eventSchema, type Events, type MillwrightEvent } from "../kernel/events.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { redactValue } from "../kernel/secret.ts";

/** A run's events.jsonl, open for appending. What is emitted is in the file when `emit` returns, so that a follower in another process sees it. */
export class RunEvents implements Events, Disposable {
  readonly #file: number;
  #isOpen = true;

  constructor(path: string) {
    this.#file = openSync(path, "a+", 0o600);
    if (endsInMidLine(this.#file)) writeSync(this.#file, "\n");
  }

  emit(event: MillwrightEvent): void {
    // What comes late must not go to a file that has the number by then.
    if (this.#isOpen) writeSync(this.#file, `${JSON.stringify(redactValue(event))}\n`);
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) closeSync(this.#file);
    this.#isOpen = false;
  }
}

/** One line of an events file; undefined for a torn one, or one of a kind that this version does not know. */
export function parseEventLine(line: string): MillwrightEvent | undefined {
  return eventSchema.safeParse(parseJson(line)).data;
}

function endsInMidLine(file: number): boolean {
  const last = Buffer.alloc(1);
  const { size } = fstatSync(file);
  return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last.toString() !== "\n";
}
