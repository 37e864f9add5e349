import { verifyJournal } from "../../../src/agent/journal-file.ts";
import { type Lock, readLock } from "../../../src/agent/run-lock.ts";
import { planOfRun } from "../../../src/agent/run-store.ts";
import { COLOURS, type Colour } from "../../../src/blueprint/stack.ts";
import { hashOf } from "../../../src/kernel/canonical.ts";
import { messageOf } from "../../../src/kernel/errors.ts";
import type { JournalEntry } from "../../../src/kernel/journal.ts";
import type { Plan } from "../../../src/kernel/plan.ts";
import type { Release } from "../../../src/release/release-file.ts";
import { readColourRelease, readServing, type Serving } from "../../../src/swap/serving.ts";
import type { Machine } from "./machine.ts";
import type { Played } from "./play.ts";

/** A machine at rest, as the agent's own readers see it. */
export interface Rest extends Played {
  readonly serving: Serving | undefined;
  /** Where users are led. */
  readonly routed: Colour | undefined;
  readonly releases: Readonly<Partial<Record<Colour, Release>>>;
  readonly lock: Lock | undefined;
  /** The journal; empty when it is broken, and `journalProblem` says why. */
  readonly journal: readonly JournalEntry[];
  readonly journalProblem: string | undefined;
  /** The plan of each run in the journal. */
  readonly plans: ReadonlyMap<string, Plan>;
}

export async function observe(played: Played): Promise<Rest> {
  const { machine } = played;
  const { paths } = machine;
  return await machine.look(async () => {
    let journal: readonly JournalEntry[] = [];
    let journalProblem: string | undefined;
    try {
      const { entries, tornBytes } = await verifyJournal(paths.journal);
      journal = entries;
      if (tornBytes > 0) journalProblem = `${tornBytes} torn bytes`;
    } catch (error) {
      journalProblem = messageOf(error);
    }
    const plans = new Map<string, Plan>();
    for (const run of new Set(journal.map((entry) => entry.run))) plans.set(run, await planOfRun(paths, run));
    const releases: Partial<Record<Colour, Release>> = {};
    for (const colour of COLOURS) {
      const release = await readColourRelease(paths, colour);
      if (release !== undefined) releases[colour] = release;
    }
    const [serving, lock] = [await readServing(paths), await readLock(paths)];
    return { ...played, serving, lock, releases, journal, journalProblem, plans, routed: machine.odoo.routed() };
  });
}

/** Everything that lasts on a machine, each with what stands for its state. */
export function lasting(machine: Machine): ReadonlyMap<string, string> {
  const state = new Map<string, string>();
  for (const [path, node] of machine.disk.listing()) {
    state.set(path, node.kind === "file" ? hashOf(node.data.toString("utf8")) : node.kind === "link" ? node.target : "folder");
  }
  for (const { id, name, state: now, restartCount, startedElapsed } of machine.engine.containers)
    state.set(`container ${id}`, `${name} ${now} ${restartCount} ${startedElapsed}`);
  for (const id of machine.engine.images.keys()) state.set(`image ${id}`, "");
  state.set("database", JSON.stringify(machine.odoo.database));
  state.set("unit", machine.unit.state);
  return state;
}
