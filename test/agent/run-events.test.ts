import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseEventLine, RunEvents } from "../../src/agent/run-events.ts";
import type { MillwrightEvent } from "../../src/kernel/events.ts";
import { LineFile } from "../../src/kernel/line-file.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "events-"))));
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const note = (text: string): MillwrightEvent => ({ kind: "note", at: "2026-11-24T02:00:00.000Z", level: "info", text });

describe("a run's events", () => {
  it("that a full disk does not take fail nothing, and the next that it takes tells of them", async () => {
    const path = join(folder, "events.jsonl");
    using events = new RunEvents(path);
    events.emit(note("one"));
    const full = vi.spyOn(LineFile.prototype, "append").mockImplementation(() => {
      throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    });
    events.emit(note("two"));
    events.emit(note("three"));
    full.mockRestore();
    events.emit(note("four"));
    events.emit(note("five"));
    const told = (await readFile(path, "utf8")).split("\n").flatMap((line) => parseEventLine(line) ?? []);
    expect(told).toEqual([
      note("one"),
      { ...note("2 events before this could not be written: The disk is full."), level: "warning" },
      note("four"),
      note("five"),
    ]);
  });
});
