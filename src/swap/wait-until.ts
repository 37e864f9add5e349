import type { Clock } from "../kernel/clock.ts";
import { asMillwrightError } from "../kernel/run-plan.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { Finding } from "./probes/probe.ts";

interface Wait {
  /** As a clause: `green answers`. */
  readonly what: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly seconds: number;
  readonly pollMilliseconds: number;
  /** Throws when waiting longer is of no use. */
  readonly alive: () => Promise<void>;
  readonly look: () => Promise<Finding>;
}

/** Looks again and again until it passes. Throws RELEASE_UNHEALTHY with what was last seen when the time is over. */
export async function waitUntil(wait: Wait): Promise<Finding> {
  const deadline = wait.clock.now() + wait.seconds * 1000;
  for (;;) {
    wait.signal.throwIfAborted();
    await wait.alive();
    let finding: Finding;
    try {
      finding = await wait.look();
    } catch (error) {
      // No answer yet is what waiting is for; an error of ours, such as a refused query, is not kept from the reader either.
      finding = { verdict: "fail", detail: asMillwrightError(error).message };
    }
    if (finding.verdict === "pass") return finding;
    if (wait.clock.now() >= deadline) {
      throw new MillwrightError("RELEASE_UNHEALTHY", `Waited ${wait.seconds} s until ${wait.what}: ${finding.detail}.`);
    }
    await wait.clock.sleep(wait.pollMilliseconds, wait.signal);
  }
}
