import type { Clock } from "../kernel/clock.ts";
import { asMillwrightError, MillwrightError } from "../kernel/errors.ts";
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

/** A colour that gives wrong answers for so long will not come right by waiting: scheduled jobs and processors wait with it. */
const WRONG_SECONDS = 10;
/** Looks cost the host that goes on serving: each that fails makes the pause before the next longer. */
const LONGEST_PAUSE_MILLISECONDS = 2000;

/** Looks again and again until it passes. Throws RELEASE_UNHEALTHY with what was last seen when the time, or its patience with wrong answers, is over. */
export async function waitUntil(wait: Wait): Promise<Finding> {
  const deadline = wait.clock.now() + wait.seconds * 1000;
  let wrongSince: number | undefined;
  let pause = wait.pollMilliseconds;
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
    const now = wait.clock.now();
    wrongSince = finding.answered === true ? (wrongSince ?? now) : undefined;
    if (wrongSince !== undefined && now - wrongSince >= WRONG_SECONDS * 1000) {
      throw new MillwrightError("RELEASE_UNHEALTHY", `Gave up waiting until ${wait.what}, after ${WRONG_SECONDS} s of wrong answers: ${finding.detail}.`);
    }
    if (now >= deadline) {
      throw new MillwrightError("RELEASE_UNHEALTHY", `Waited ${wait.seconds} s until ${wait.what}: ${finding.detail}.`);
    }
    await wait.clock.sleep(pause, wait.signal);
    // No answer is cheap to ask for again, and its end must be seen at once.
    pause = finding.answered === true ? Math.min(2 * pause, LONGEST_PAUSE_MILLISECONDS) : wait.pollMilliseconds;
  }
}
