import { expect, it } from "vitest";
import { changedSettings } from "../../src/deploy/changed-settings.ts";

it("names what has another value, what came and what went, and no comment", () => {
  const before = "# Memory\nwork_mem = 4MB\njit = off\n  port=5432\nauto.x = 'a = b'\n";
  const after = "work_mem = 8MB\njit = off\nport = 5432\nmax_wal_size = 2GB\n";
  expect(changedSettings(before, after)).toEqual(["auto.x", "max_wal_size", "work_mem"]);
});

it("does not name what has only moved to another file", () => {
  expect(changedSettings("work_mem = 4MB\nmax_connections = 50\n", "max_connections = 60\n", "work_mem = 8MB\n")).toEqual(["max_connections"]);
});
