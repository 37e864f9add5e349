import type { Clock } from "../kernel/clock.ts";

/**
 * Looks again only when what was seen last is older than that, for looks that cost processors which those that serve people need. What throws,
 * or does not stand, is looked at again at once.
 */
export function glance<T>(clock: Clock, milliseconds: number, look: () => Promise<T>, stands: (value: T) => boolean = () => true): () => Promise<T> {
  let seen: { readonly at: number; readonly value: T } | undefined;
  return async () => {
    const at = clock.now();
    if (seen !== undefined && at - seen.at < milliseconds) return seen.value;
    const value = await look();
    seen = stands(value) ? { at, value } : undefined;
    return value;
  };
}
