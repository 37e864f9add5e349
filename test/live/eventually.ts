import { setTimeout as wait } from "node:timers/promises";

interface Patience {
  /** Milliseconds until it gives up. */
  readonly timeout?: number;
  /** Milliseconds between two tries. */
  readonly every?: number;
  /** What is waited for; named when it does not come. */
  readonly what?: string;
}

/** Tries until `look` neither throws nor gives undefined or false; the last reason is in the error when it never does. */
export async function eventually<T>(look: () => Promise<T> | T, patience: Patience = {}): Promise<Exclude<T, undefined | false>> {
  const { timeout = 60_000, every = 150, what = "what was waited for" } = patience;
  const until = Date.now() + timeout;
  for (;;) {
    let reason: unknown = "it was not there";
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen as Exclude<T, undefined | false>;
    } catch (error) {
      reason = error instanceof Error ? error.message : error;
    }
    if (Date.now() > until) throw new Error(`${what} did not come within ${timeout / 1000} s: ${String(reason)}`);
    await wait(every);
  }
}
