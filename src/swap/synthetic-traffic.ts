import type { Clock } from "../kernel/clock.ts";
import { frontRequest } from "./front.ts";
import type { Http, HttpRequest } from "./http.ts";
import { NO_TRAFFIC, type Traffic, withRequest } from "./metrics.ts";
import { routeProbeName } from "./probes/route.ts";
import type { SwapDeps } from "./swap-deps.ts";

/** Stands in the access log, so that nobody takes these for people's. */
const AGENT = "millwright-synthetic";
/** At the same time: enough for a second worker to take its share, too few to be in anybody's way. */
const LANES = 2;

/**
 * Requests of ours through the front door, where they count like anyone's: they make up the numbers while nobody works. What they met is
 * counted here as well, so that they can be told apart.
 */
export class SyntheticTraffic {
  readonly #deps: Pick<SwapDeps, "stack" | "http" | "clock">;
  readonly #paths: readonly string[];
  #seen: Traffic = NO_TRAFFIC;
  #next = 0;
  #isBusy = false;
  #isStopped = false;

  constructor(deps: Pick<SwapDeps, "stack" | "http" | "clock">, paths: readonly string[]) {
    this.#deps = deps;
    this.#paths = paths;
  }

  get seen(): Traffic {
    return this.#seen;
  }

  /** For what looks through the front door by itself: it counts as well. */
  get http(): Http {
    const { http, clock } = this.#deps;
    return { ...http, ask: async (request) => await this.#counted(() => http.ask(request), clock) };
  }

  /** Begins so many requests, unless earlier ones are still under way, and does not wait for them. */
  begin(count: number): void {
    if (this.#isBusy || count <= 0) return;
    // Requests that fail are counted and throw nothing.
    void this.send(count, Number.POSITIVE_INFINITY);
  }

  /** What is under way ends by itself; nothing more is sent. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Sends so many requests, a few at a time and none after the deadline, and waits for their answers. */
  async send(count: number, deadline: number): Promise<void> {
    let left = count;
    this.#isBusy = true;
    const lane = async (): Promise<void> => {
      while (left > 0 && !this.#isStopped && this.#deps.clock.now() < deadline) {
        left -= 1;
        await this.#counted(() => this.#deps.http.ask(this.#request()), this.#deps.clock).catch(() => {});
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    this.#isBusy = false;
  }

  #request(): HttpRequest {
    const path = this.#paths[this.#next % this.#paths.length] ?? "/web/login";
    this.#next += 1;
    return frontRequest(this.#deps, path, AGENT);
  }

  async #counted<T extends { readonly status: number; readonly milliseconds: number }>(ask: () => Promise<T>, clock: Clock): Promise<T> {
    const began = clock.now();
    try {
      const answer = await ask();
      this.#seen = withRequest(this.#seen, answer.milliseconds / 1000, answer.status >= 500);
      return answer;
    } catch (error) {
      this.#seen = withRequest(this.#seen, (clock.now() - began) / 1000, true);
      throw error;
    }
  }
}

/**
 * What they ask for: the login page, the site's own routes, and its checks that ask for a page. Not what the old release fails already:
 * that would be held against the new one by another name.
 */
export function syntheticPaths(facts: SwapDeps["stack"]["facts"], failing: readonly { readonly name: string }[]): readonly string[] {
  const fails = (name: string): boolean => failing.some((probe) => probe.name === name);
  const routes = facts.swap.rules.traffic.routes.filter((path) => !fails(routeProbeName(path)));
  const checks = facts.smoke.flatMap((check) => (check.kind === "http" && check.status < 500 && !fails(check.name) ? [check.path] : []));
  return [...new Set(["/web/login", ...routes, ...checks])];
}
