import type { MillwrightError } from "../kernel/errors.ts";

/** Aborts its signal when nothing was heard of for so long, or when somebody else's signal aborts. */
export class Watchdog implements Disposable {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #other: AbortSignal | undefined;
  readonly #onOther = (): void => this.#abort.abort(this.#other?.reason);

  constructor(milliseconds: number, reason: () => MillwrightError, other?: AbortSignal) {
    this.#timer = setTimeout(() => this.#abort.abort(reason()), milliseconds);
    this.#other = other;
    other?.addEventListener("abort", this.#onOther, { once: true });
    if (other?.aborted === true) this.#onOther();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Something came: the wait begins anew. */
  heard(): void {
    this.#timer.refresh();
  }

  /** What comes of some work, or the reason of the signal as soon as it aborts: for work that does not always listen to it. */
  async guard<Result>(work: Promise<Result>): Promise<Result> {
    const { signal } = this;
    let onAbort: () => void = () => {};
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason);
      if (signal.aborted) onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([work, aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#other?.removeEventListener("abort", this.#onOther);
  }
}
