import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../../../src/kernel/clock.ts";
import type { MachineClock } from "./clock.ts";
import type { Disk } from "./disk.ts";

/** `look` reads a file and `ask` asks another program: neither changes anything. */
export type EffectKind = "look" | "ask" | "file" | "docker" | "clock" | "unit" | "socket";

/** What befalls an effect. */
export type Strike =
  /** The process is killed after so many parts of it: 0 is before it, more than it has is after it, with the answer lost. */
  | { readonly kind: "kill"; readonly parts: number }
  /** It fails, without having been carried out or with only its answer lost, at once or after a while. */
  | { readonly kind: "error"; readonly isDone: boolean; readonly milliseconds: number; readonly error: Error };

/** The machine as its processes see it. */
export interface ProcessHost {
  readonly clock: MachineClock;
  readonly disk: Disk;
  /** Owners of the abstract sockets that are listened on. */
  readonly sockets: Map<string, MachineProcess>;
  /** Asked before every effect of a process. */
  strike(process: MachineProcess, kind: EffectKind, name: string): Strike | undefined;
}

const running = new AsyncLocalStorage<MachineProcess | undefined>();

/** A process of the machine. When it is killed, nothing that it still had to do happens: what it awaits never comes. */
export class MachineProcess {
  readonly name: string;
  readonly host: ProcessHost;
  /** Aborts when it is told to stop (SIGTERM). */
  readonly stop = new AbortController();
  /** What it has changed on the disk and in the engine. */
  readonly changes: string[] = [];
  /** It only tells what others do; nothing of weight can strike it. */
  isFollowing = false;
  /** Its link breaks as soon as it only follows. */
  linkBreaks = false;
  isDead = false;
  readonly #atDeath: (() => void)[] = [];

  constructor(host: ProcessHost, name: string) {
    this.host = host;
    this.name = name;
  }

  onDeath(action: () => void): void {
    this.#atDeath.push(action);
  }

  kill(): void {
    if (this.isDead) return;
    this.isDead = true;
    for (const action of this.#atDeath) action();
  }

  /** Runs something that is called from outside, such as a listener, as part of this process. */
  enter<T>(work: () => T): T {
    return running.run(this, work);
  }
}

/** The process whose code runs now. */
export function currentProcess(): MachineProcess {
  const process = running.getStore();
  if (process === undefined) throw new Error("only a process of the machine may do this");
  return process;
}

class Killed extends Error {}

/**
 * Everything that a process does to the world goes through here. `part` is called between the parts of what is not done in one instant. What
 * the world does in answer is no longer the process's own doing and goes on without it.
 */
export async function effect<T>(kind: EffectKind, name: string, work: (part: () => void) => T | Promise<T>): Promise<T> {
  const process = currentProcess();
  if (process.isDead) return await never();
  const strike = process.host.strike(process, kind, name);
  if (strike?.kind === "kill" && strike.parts === 0) process.kill();
  if (process.isDead) return await never();
  if (strike?.kind === "error" && !strike.isDone) return await fail(process, strike);
  let parts = 0;
  const part = (): void => {
    parts += 1;
    if (strike?.kind === "kill" && parts === strike.parts) process.kill();
    if (process.isDead) throw new Killed();
  };
  let outcome: { readonly value: T } | { readonly error: unknown };
  try {
    outcome = { value: await running.run(undefined, () => work(part)) };
  } catch (error) {
    outcome = { error };
  }
  if (strike?.kind === "kill") process.kill();
  if (process.isDead) return await never();
  if ("error" in outcome) throw outcome.error;
  if (strike?.kind === "error") return await fail(process, strike);
  return outcome.value;
}

/** The same for Node's functions that return at once. A dead process gets something that it cannot do anything with any more. */
export function effectNow<T>(kind: EffectKind, name: string, whenDead: T, work: () => T): T {
  const process = currentProcess();
  if (process.isDead) return whenDead;
  const strike = process.host.strike(process, kind, name);
  if (strike?.kind === "kill" && strike.parts === 0) process.kill();
  if (process.isDead) return whenDead;
  try {
    return running.run(undefined, work);
  } finally {
    if (strike?.kind === "kill") process.kill();
  }
}

/** A program's clock, like the real one: the time of day when it began and evenly on from there; its sleep can be cut short by a signal. */
export function processClock(host: ProcessHost): Clock {
  const offset = host.clock.now() - host.clock.elapsed;
  return {
    now: () => offset + host.clock.elapsed,
    sleep: (milliseconds, signal) => effect("clock", `sleep ${milliseconds}`, () => pause(host.clock, milliseconds, signal)),
  };
}

async function pause(clock: MachineClock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const cancel = clock.after(milliseconds, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
    };
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

async function fail<T>(process: MachineProcess, { error, milliseconds }: Extract<Strike, { kind: "error" }>): Promise<T> {
  if (milliseconds > 0) await running.run(undefined, () => pause(process.host.clock, milliseconds));
  if (process.isDead) return await never();
  throw error;
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}
