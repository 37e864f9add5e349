import type { Clock } from "../../src/kernel/clock.ts";

/** A clock on which every sleep ends at once and takes its time nevertheless, unless what happens meanwhile ends it early. */
export class FakeClock implements Clock {
  #now: number;
  /** What happens on disk or on a socket and takes none of this clock's time: every sleep waits for its end. */
  meanwhile: Promise<unknown> | undefined;

  constructor(start = "2026-11-24T02:00:00.000Z") {
    this.#now = Date.parse(start);
  }

  now(): number {
    return this.#now;
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    // Lets whatever waits on the same event loop have its turn.
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.allSettled([this.meanwhile]);
    signal?.throwIfAborted();
    this.#now += milliseconds;
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
