import * as fc from "../properties.ts";
import { describe, expect, it } from "vitest";
import type { Clock } from "../../src/kernel/clock.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import type { MillwrightEvent } from "../../src/kernel/events.ts";
import type { Journal, JournalEntry } from "../../src/kernel/journal.ts";
import { type Plan, planSchema } from "../../src/kernel/plan.ts";
import { type RunOutcome, runPlan, type StepTable } from "../../src/kernel/run-plan.ts";

/** A host on which each step sets a mark, and its undo takes it away; survives the process that works on it. */
class Host {
  readonly marks = new Set<string>();
  readonly entries: JournalEntry[] = [];
  /** The steps whose code fails, by id; with how many of their calls. */
  readonly failing: ReadonlyMap<string, number>;
  readonly undoFailing: ReadonlyMap<string, number>;
  readonly #calls = new Map<string, number>();

  constructor(failing: ReadonlyMap<string, number> = new Map(), undoFailing: ReadonlyMap<string, number> = new Map()) {
    this.failing = failing;
    this.undoFailing = undoFailing;
  }

  fails(what: string, limits: ReadonlyMap<string, number>, step: string): boolean {
    const calls = (this.#calls.get(`${what}:${step}`) ?? 0) + 1;
    this.#calls.set(`${what}:${step}`, calls);
    return calls <= (limits.get(step) ?? 0);
  }

  readonly table: StepTable<Host> = {
    mark: {
      do: async (host, step) => {
        host.marks.add(step.id);
        if (host.fails("do", host.failing, step.id)) throw new MillwrightError("RELEASE_UNHEALTHY", `${step.id} broke`);
        return { summary: step.id };
      },
      undo: async (host, step) => {
        if (host.fails("undo", host.undoFailing, step.id)) throw new Error("stuck");
        host.marks.delete(step.id);
      },
    },
    look: { do: async () => ({ seen: 1 }) },
  };
}

class Killed extends Error {}

/** One process: its journal dies at the given write, either before or after the line is on the disk, and stays dead. */
function processJournal(host: Host, cut = Number.POSITIVE_INFINITY, isWritten = false): Journal {
  let left = cut;
  return {
    append: async (entry) => {
      if (left < 0) throw new Killed();
      const isLast = left === 0;
      left -= 1;
      if (!isLast || isWritten) host.entries.push({ ...entry, seq: 0, at: "", run: "r", who: "w", previous: "", hash: "" });
      if (isLast) throw new Killed();
    },
    entries: async () => [...host.entries],
  };
}

function planOf(steps: readonly { readonly id: string; readonly kind?: string; readonly decision?: boolean; readonly failure?: "undo" | "report" }[]): Plan {
  return planSchema.parse({
    version: 1,
    id: "p",
    stack: "acme-test",
    kind: "swap",
    purpose: "test",
    basis: "b",
    steps: steps.map((step) => ({ kind: "mark", title: step.id, cause: "test", ...step })),
  });
}

interface Go {
  readonly journal?: Journal;
  readonly signal?: AbortSignal;
  readonly abort?: boolean;
  readonly said?: MillwrightEvent[];
  readonly tell?: (event: MillwrightEvent) => void;
  readonly table?: StepTable<Host>;
  readonly clock?: Clock;
}

async function go(plan: Plan, host: Host, options: Go = {}): Promise<RunOutcome> {
  return await runPlan({
    plan,
    table: options.table ?? host.table,
    context: host,
    journal: options.journal ?? processJournal(host),
    events: { emit: options.tell ?? ((event) => void options.said?.push(event)) },
    clock: options.clock ?? { now: () => 0, sleep: async () => {} },
    signal: options.signal ?? new AbortController().signal,
    ...(options.abort === undefined ? {} : { abort: options.abort }),
  });
}

/** After so many failures the executor gives up. */
const TRIES = 9;
const three = planOf([{ id: "a" }, { id: "b", decision: true }, { id: "c" }]);
const kinds = (host: Host): string[] => host.entries.map((entry) => `${entry.kind}:${entry.step}`);

describe("a run", () => {
  it("journals each step before and after", async () => {
    const host = new Host();
    expect((await go(planOf([{ id: "a" }, { id: "b" }]), host)).outcome).toBe("done");
    expect(kinds(host)).toEqual(["begun:a", "done:a", "begun:b", "done:b"]);
  });

  it("undoes all that had begun in reverse order at the first failure, the failed step included", async () => {
    const host = new Host(new Map([["b", 1]]));
    const outcome = await go(three, host);
    expect(outcome).toMatchObject({ outcome: "undone", error: { code: "RELEASE_UNHEALTHY", message: "b broke" } });
    expect(kinds(host).slice(-5)).toEqual(["failed:b", "undoing:b", "undone:b", "undoing:a", "undone:a"]);
    expect(host.marks.size).toBe(0);
  });

  it("tries a step that only reports again, and has no word of warning when it succeeds", async () => {
    const host = new Host(new Map([["c", 2]]));
    expect(await go(planOf([{ id: "a" }, { id: "c", failure: "report" }]), host)).toEqual({ outcome: "done", warnings: [] });
    expect(kinds(host).slice(2)).toEqual(["begun:c", "failed:c", "begun:c", "failed:c", "begun:c", "done:c"]);
  });

  it("ends as done with a warning when a step that only reports fails again and again", async () => {
    const host = new Host(new Map([["c", TRIES]]));
    const outcome = await go(planOf([{ id: "a" }, { id: "c", failure: "report" }, { id: "d" }]), host);
    expect(outcome).toMatchObject({ outcome: "done", warnings: ["c: c broke"] });
    expect(host.marks.has("d")).toBe(true);
  });

  it("tries an undo again that has failed, and goes on", async () => {
    const host = new Host(new Map([["c", 1]]), new Map([["b", 2]]));
    const said: MillwrightEvent[] = [];
    expect(await go(three, host, { said })).toMatchObject({ outcome: "undone", error: { code: "RELEASE_UNHEALTHY" } });
    expect(
      kinds(host)
        .filter((line) => line.endsWith(":b"))
        .slice(2),
    ).toEqual(["undoing", "undo-failed", "undoing", "undo-failed", "undoing", "undone"].map((kind) => `${kind}:b`));
    expect(said.flatMap((event) => (event.kind === "step" && event.id === "b" ? event.state : []))).toEqual(["begun", "done", "undoing", "undone"]);
    expect(said).toContainEqual(expect.objectContaining({ kind: "note", text: 'Undoing "b" failed and is tried again in 1 s: stuck' }));
    expect(host.marks.size).toBe(0);
  });

  it("leaves a run alone that is told to stop while it waits to try an undo again", async () => {
    const host = new Host(new Map([["c", 1]]), new Map([["b", 1]]));
    const stop = new AbortController();
    const clock: Clock = {
      now: () => 0,
      sleep: async (_, signal) => {
        stop.abort(new MillwrightError("INTERRUPTED", "reboot"));
        signal?.throwIfAborted();
      },
    };
    await expect(go(three, host, { signal: stop.signal, clock })).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(kinds(host).at(-1)).toBe("undo-failed:b");
    expect((await go(three, host)).outcome).toBe("undone");
  });

  it("stops with UNDO_FAILED when an undo fails again and again, and can be taken up again", async () => {
    const host = new Host(new Map([["c", 1]]), new Map([["b", TRIES]]));
    expect(await go(three, host)).toMatchObject({ outcome: "failed", error: { code: "UNDO_FAILED" } });
    expect([...host.marks]).toEqual(["a", "b"]);
    expect(await go(three, host)).toMatchObject({ outcome: "undone", error: { code: "RELEASE_UNHEALTHY" } });
    expect(host.marks.size).toBe(0);
  });

  it("is undone when a person aborts it between two steps", async () => {
    const host = new Host();
    const abort = new AbortController();
    const table: StepTable<Host> = {
      mark: {
        ...host.table["mark"],
        do: async (on, step, run) => (abort.abort(new MillwrightError("ABORTED", "stop")), host.table["mark"]?.do(on, step, run)),
      },
    };
    expect(await go(three, host, { signal: abort.signal, table })).toMatchObject({ outcome: "undone", error: { code: "ABORTED" } });
    expect(host.marks.size).toBe(0);
  });

  it("is undone when a person aborts it in a step that only reports", async () => {
    const host = new Host();
    const abort = new AbortController();
    const table: StepTable<Host> = {
      ...host.table,
      hang: {
        do: async () => {
          abort.abort(new MillwrightError("ABORTED", "stop"));
          throw abort.signal.reason;
        },
      },
    };
    const plan = planOf([
      { id: "a", decision: true },
      { id: "b", kind: "hang", failure: "report" },
    ]);
    expect(await go(plan, host, { signal: abort.signal, table })).toMatchObject({ outcome: "undone" });
    expect(host.marks.size).toBe(0);
  });

  it("leaves the journal as it is when the process is told to stop", async () => {
    const host = new Host();
    const stop = new AbortController();
    const table: StepTable<Host> = {
      mark: {
        do: async (on, step) => {
          on.marks.add(step.id);
          if (step.id === "b") stop.abort(new MillwrightError("INTERRUPTED", "reboot"));
          stop.signal.throwIfAborted();
        },
      },
    };
    await expect(go(three, host, { signal: stop.signal, table })).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(kinds(host)).toEqual(["begun:a", "done:a", "begun:b"]);
  });

  it("goes back, also after its decision, when it is started as aborted", async () => {
    const host = new Host();
    await expect(go(three, host, { journal: processJournal(host, 4, true) })).rejects.toThrow(Killed);
    expect(await go(three, host, { abort: true })).toMatchObject({ outcome: "undone", error: { code: "ABORTED" } });
    expect(host.marks.size).toBe(0);
  });

  it("goes forward from a cut after its decision, and back from one before it", async () => {
    for (const [cut, outcome] of [
      [2, "undone"],
      [4, "done"],
    ] as const) {
      const host = new Host();
      await expect(go(three, host, { journal: processJournal(host, cut, true) })).rejects.toThrow(Killed);
      expect((await go(three, host)).outcome).toBe(outcome);
    }
  });

  it("goes back when it was cut off right after a failure, though the step would work now", async () => {
    const host = new Host(new Map([["c", 1]]));
    await expect(go(three, host, { journal: processJournal(host, 5, true) })).rejects.toThrow(Killed);
    expect(kinds(host).at(-1)).toBe("failed:c");
    expect(await go(three, host)).toMatchObject({ outcome: "undone", error: { code: "RELEASE_UNHEALTHY" } });
    expect(host.marks.size).toBe(0);
  });

  it("goes on with undoing when it was cut off in it, though nobody asks for an abort any more", async () => {
    const host = new Host();
    await go(three, host);
    await expect(go(three, host, { abort: true, journal: processJournal(host, 1, true) })).rejects.toThrow(Killed);
    expect((await go(three, host)).outcome).toBe("undone");
    expect(host.marks.size).toBe(0);
  });

  it("gives a step what an earlier one returned, also one of the process before", async () => {
    const host = new Host();
    const seen: unknown[] = [];
    const table: StepTable<Host> = { ...host.table, ask: { do: async (_, __, run) => void seen.push(run.resultOf("a")) } };
    const plan = planOf([
      { id: "a", kind: "look", decision: true },
      { id: "b", kind: "ask" },
    ]);
    await expect(go(plan, host, { table, journal: processJournal(host, 2, true) })).rejects.toThrow(Killed);
    await go(plan, host, { table });
    expect(seen).toEqual([{ seen: 1 }]);
  });

  it.each([
    ["a step that is done", new Map<string, number>(), "done", "done:c"],
    ["a step that is undone", new Map([["c", 1]]), "undone", "undone:c"],
  ])("leaves the journal's word on %s as it is when that cannot be told, and goes on by it", async (_, failing, state, last) => {
    const host = new Host(failing);
    const full = (event: MillwrightEvent): void => {
      if (event.kind === "step" && event.id === "c" && event.state === state) throw new Error("no space left");
    };
    await expect(go(three, host, { tell: full })).rejects.toThrow("no space left");
    expect(kinds(host).at(-1)).toBe(last);
    expect((await go(three, host)).outcome).toBe(state);
  });

  it("is not undone after its decision when the journal cannot take that a step is done", async () => {
    const host = new Host();
    const journal = processJournal(host);
    const full: Journal = {
      ...journal,
      append: async (entry) => {
        if (entry.kind === "done" && entry.step === "c") throw new Error("no space left");
        await journal.append(entry);
      },
    };
    await expect(go(three, host, { journal: full })).rejects.toThrow("no space left");
    expect(kinds(host).at(-1)).toBe("begun:c");
    expect((await go(three, host)).outcome).toBe("done");
  });

  it("says what it does while it does it", async () => {
    const said: MillwrightEvent[] = [];
    await go(three, new Host(new Map([["c", 1]])), { said });
    const states = said.flatMap((event) => (event.kind === "step" ? [`${event.id} ${event.state}`] : []));
    expect(states).toEqual([
      "a begun",
      "a done",
      "b begun",
      "b done",
      "c begun",
      "c failed",
      "c undoing",
      "c undone",
      "b undoing",
      "b undone",
      "a undoing",
      "a undone",
    ]);
  });
});

describe("a run that is cut off anywhere, any number of times", () => {
  const step = fc.record({ kind: fc.constant("mark"), failure: fc.constantFrom<("undo" | "report")[]>("undo", "undo", "undo", "report") });
  const scene = fc
    .record({
      steps: fc.array(step, { minLength: 1, maxLength: 5 }),
      decision: fc.option(fc.nat(4), { nil: undefined }),
      failing: fc.option(fc.nat(4), { nil: undefined }),
      undoFailing: fc.option(fc.nat(4), { nil: undefined }),
      cuts: fc.array(fc.record({ at: fc.nat(8), isWritten: fc.boolean() }), { maxLength: 6 }),
      abortFrom: fc.option(fc.nat(6), { nil: undefined }),
    })
    .map((drawn) => ({
      ...drawn,
      plan: planOf(
        drawn.steps.map((one, index) => ({
          ...one,
          id: `s${index}`,
          failure: index === drawn.decision ? "undo" : one.failure,
          decision: index === drawn.decision,
        })),
      ),
    }));

  /** Runs process after process, each killed at its cut, then without cuts until the run ends. */
  async function untilEnded(
    drawn: { readonly plan: Plan; readonly cuts: readonly { readonly at: number; readonly isWritten: boolean }[]; readonly abortFrom: number | undefined },
    host: Host,
  ): Promise<RunOutcome> {
    for (let attempt = 0; ; attempt += 1) {
      const cut = drawn.cuts[attempt];
      const abort = drawn.abortFrom !== undefined && attempt >= drawn.abortFrom;
      try {
        const outcome = await go(drawn.plan, host, { journal: processJournal(host, cut?.at, cut?.isWritten), abort });
        if (outcome.outcome !== "failed") return outcome;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      }
    }
  }

  const hostOf = (drawn: { readonly failing: number | undefined; readonly undoFailing: number | undefined }): Host =>
    new Host(
      new Map(drawn.failing === undefined ? [] : [[`s${drawn.failing}`, 1]]),
      new Map(drawn.undoFailing === undefined ? [] : [[`s${drawn.undoFailing}`, 2]]),
    );

  it("ends with everything done or everything undone", async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (drawn) => {
        const host = hostOf(drawn);
        const { outcome } = await untilEnded(drawn, host);
        expect([...host.marks].sort()).toEqual(outcome === "done" ? drawn.plan.steps.map(({ id }) => id) : []);
      }),
      { numRuns: 500 },
    );
  });

  it("changes nothing when it is run once more after its end", async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (drawn) => {
        const host = hostOf({ ...drawn, failing: drawn.plan.steps[drawn.failing ?? 0]?.failure === "report" ? undefined : drawn.failing });
        const first = await untilEnded(drawn, host);
        const [marks, lines] = [[...host.marks], host.entries.length];
        const second = await go(drawn.plan, host, { abort: drawn.abortFrom !== undefined && first.outcome === "undone" });
        expect([second.outcome, [...host.marks], host.entries.length]).toEqual([first.outcome, marks, lines]);
      }),
      { numRuns: 300 },
    );
  });

  it("never goes back by itself once its decision is in the journal, unless a later step failed", async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (drawn) => {
        const host = new Host();
        const { outcome } = await untilEnded({ ...drawn, abortFrom: undefined }, host);
        const decision = drawn.plan.steps.find((one) => one.decision === true);
        const isDecided = decision === undefined || kinds(host).includes(`done:${decision.id}`);
        expect(outcome).toBe(isDecided ? "done" : "undone");
      }),
      { numRuns: 300 },
    );
  });
});
