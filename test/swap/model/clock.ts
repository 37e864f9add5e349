import type { Clock } from "../../../src/kernel/clock.ts";

interface Timer {
  readonly due: number;
  readonly serial: number;
  readonly ring: () => void;
}

/** The time of a machine. It stands still while programs work and passes when all of them wait, so the same events always meet. */
export class MachineClock {
  /** Milliseconds since the machine was made; nobody can set this one. */
  elapsed = 0;
  /** What has to be added for the time of day. */
  #offset = Date.parse("2026-11-24T02:00:00.000Z");
  readonly #timers: Timer[] = [];
  #serial = 0;

  now(): number {
    return this.#offset + this.elapsed;
  }

  /** Somebody sets the time of day. */
  jump(milliseconds: number): void {
    this.#offset += milliseconds;
  }

  /** Rings after so long; returns what takes the timer back. */
  after(milliseconds: number, ring: () => void): () => void {
    this.#serial += 1;
    const timer: Timer = { due: this.elapsed + Math.max(0, milliseconds), serial: this.#serial, ring };
    this.#timers.push(timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index !== -1) this.#timers.splice(index, 1);
    };
  }

  /** Lets the next timer ring; false when there is none. */
  advance(): boolean {
    const [first, ...others] = this.#timers;
    if (first === undefined) return false;
    const next = others.reduce((best, timer) => (timer.due < best.due || (timer.due === best.due && timer.serial < best.serial) ? timer : best), first);
    this.#timers.splice(this.#timers.indexOf(next), 1);
    this.elapsed = next.due;
    next.ring();
    return true;
  }

  copyFrom(other: MachineClock): void {
    this.elapsed = other.elapsed;
    this.#offset = other.#offset;
  }

  /** The clock as a program reads it, without a word of who sleeps: for what is not a process of the machine. */
  get plain(): Clock {
    return { now: () => this.now(), sleep: (milliseconds) => new Promise((resolve) => this.after(milliseconds, resolve)) };
  }
}
