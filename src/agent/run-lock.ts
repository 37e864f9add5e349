import { createServer, type Server } from "node:net";
import * as z from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { sha256 } from "../kernel/canonical.ts";
import type { Clock } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { createDurable, hasCode, removeDurable } from "../kernel/durable-file.ts";
import { readState } from "../kernel/read-state.ts";

/**
 * `state/lock`: whose run the stack is in. Its being there also makes systemd start the run's unit at boot. `expires` is when the run ought
 * to be over; an older lock is not taken over by that alone, since a half-done run must be finished first, but it is pointed out.
 */
export const lockSchema = z.strictObject({
  run: z.string(),
  who: z.string(),
  reason: z.string(),
  since: z.string(),
  expires: z.string(),
});

export type Lock = z.infer<typeof lockSchema>;

export async function readLock(paths: HostPaths): Promise<Lock | undefined> {
  return await readState(paths.lock, lockSchema, "Look at `millwright history`; if no run is open, remove the file.");
}

/** Takes the lock, or throws LOCK_HELD. The file appears with its whole content or not at all. Only within `withStartMutex`. */
export async function takeLock(paths: HostPaths, lock: Lock): Promise<void> {
  try {
    await createDurable(paths.lock, `${JSON.stringify(lock)}\n`, 0o600);
  } catch (error) {
    const held = hasCode(error, "EEXIST") ? await readLock(paths) : undefined;
    throw held === undefined ? error : lockHeld(held, Date.parse(lock.since));
  }
}

/** Frees the lock if this run holds it. Only within `withStartMutex`. */
export async function freeLock(paths: HostPaths, run: string): Promise<void> {
  if ((await readLock(paths))?.run !== run) return;
  await removeDurable(paths.lock);
}

export function lockHeld(lock: Lock, now: number, isInPreview = false): MillwrightError {
  const overdue = Date.parse(lock.expires) < now;
  return new MillwrightError("LOCK_HELD", `${lock.who} has been at it since ${lock.since}: ${lock.reason}.`, {
    subject: `run ${lock.run}`,
    hint: isInPreview
      ? "It waits in its preview for a person: `millwright resume` lets it go on, `millwright abort` takes it back."
      : overdue
        ? `It ought to have ended by ${lock.expires}. See \`millwright follow\`; then \`millwright resume\` or \`millwright abort\`.`
        : "Watch it with `millwright follow`, or take it back with `millwright abort`.",
  });
}

/**
 * Lets one process at a time look at the lock and act on what it saw. Held as an abstract Unix socket: the kernel frees it whenever its
 * process dies, so it can never be left behind as a file can.
 */
export async function withStartMutex<T>(paths: HostPaths, clock: Clock, work: () => Promise<T>): Promise<T> {
  // Filled up to the whole length of an address: Node 20 pads a shorter name with zeros, Node 24 does not.
  const name = `\0millwright:${sha256(paths.base)}:`.padEnd(108, "-");
  const patience = 100;
  for (let attempt = 0; ; attempt += 1) {
    const server = await tryListen(name);
    if (server !== undefined) {
      try {
        return await work();
      } finally {
        await new Promise((resolve) => server.close(resolve));
      }
    }
    if (attempt === patience) {
      throw new MillwrightError("LOCK_HELD", "Another command is starting or ending a run on this stack.", { hint: "Try again in a minute." });
    }
    await clock.sleep(100);
  }
}

function tryListen(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error) => ("code" in error && error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(name, () => resolve(server));
  });
}
