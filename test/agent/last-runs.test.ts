import { describe, expect, it } from "vitest";
import { lastRuns } from "../../src/agent/last-runs.ts";
import type { JournalEntry } from "../../src/kernel/journal.ts";

const entry = (kind: JournalEntry["kind"], detail: JournalEntry["detail"] = {}): JournalEntry => ({
  seq: 1,
  at: "2026-11-24T02:00:00.000Z",
  run: "run-1",
  who: "jo",
  kind,
  step: "up",
  detail,
  previous: "",
  hash: "",
});

describe("a run whose undo failed", () => {
  it("waits for a person", () => {
    expect(lastRuns([entry("undoing"), entry("undo-failed", { code: "DOCKER_DOWN" })], 1)[0]?.outcome).toBe("failed");
  });

  it("is open while that undo is tried again", () => {
    expect(lastRuns([entry("undoing"), entry("undo-failed", { code: "DOCKER_DOWN", againInSeconds: 5 })], 1)[0]?.outcome).toBe("open");
  });
});
