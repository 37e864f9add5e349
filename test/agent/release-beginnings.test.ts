import { describe, expect, it } from "vitest";
import { releaseBeginnings } from "../../src/agent/release-beginnings.ts";
import type { JournalEntry } from "../../src/kernel/journal.ts";

let seconds = 0;

/** The entries of one run, a second apart. */
function run(id: string, swap: unknown, steps: readonly string[], outcome: string | undefined, kind = "swap"): readonly JournalEntry[] {
  const entry = (what: JournalEntry["kind"], step: string, detail: JournalEntry["detail"] = {}): JournalEntry => {
    seconds += 1;
    const at = new Date(Date.parse("2026-11-29T10:00:00.000Z") + seconds * 1000).toISOString();
    return { seq: seconds, at, run: id, who: "jo", kind: what, step, detail, previous: "", hash: "" };
  };
  return [
    entry("run-begun", "", { kind, ...(swap === undefined ? {} : { swap }) }),
    ...steps.flatMap((step) => [entry("begun", step), entry("done", step)]),
    ...(outcome === undefined ? [] : [entry("run-ended", "", { outcome })]),
  ];
}

const to = (release: string, from?: string) => ({
  to: { release, colour: "blue" },
  ...(from === undefined ? {} : { from: { release: from, colour: "green" } }),
});

describe("when a release began to serve", () => {
  it("is when its upgrade began to lead users: at the switch, or with the first of a canary", () => {
    seconds = 0;
    const entries = [
      ...run("first", to("r1"), ["up", "switch", "front"], "done"),
      ...run("second", to("r2", "r1"), ["up", "canary-1", "canary-10", "switch"], "done"),
    ];
    expect(releaseBeginnings(entries)).toEqual([
      { release: "r1", run: "first", at: "2026-11-29T10:00:04.000Z", isRollback: false, isKept: true },
      { release: "r2", run: "second", at: "2026-11-29T10:00:12.000Z", isRollback: false, isKept: true },
    ]);
  });

  it("is told of one that was taken back, too: what it has written meanwhile stays", () => {
    expect(releaseBeginnings(run("taken-back", to("r2", "r1"), ["up", "switch", "front"], "undone"))).toMatchObject([{ release: "r2", isKept: false }]);
    expect(releaseBeginnings(run("under-way", to("r2", "r1"), ["switch"], undefined))).toMatchObject([{ release: "r2", isKept: false }]);
  });

  it("is not told of one that users never met, of new settings, nor of what is no swap", () => {
    expect(releaseBeginnings(run("bad", to("r2", "r1"), ["up", "warm"], "undone"))).toEqual([]);
    expect(releaseBeginnings(run("settings", to("r1", "r1"), ["up", "switch"], "done"))).toEqual([]);
    expect(releaseBeginnings(run("backup", undefined, ["archive"], "done", "backup"))).toEqual([]);
  });

  it("is told of a rollback as such", () => {
    expect(releaseBeginnings(run("back", to("r1", "r2"), ["switch"], "done", "rollback"))).toMatchObject([{ release: "r1", isRollback: true }]);
  });
});
