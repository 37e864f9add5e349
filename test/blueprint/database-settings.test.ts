import { expect, it } from "vitest";
import { renderStack } from "../../src/blueprint/render-stack.ts";
import { exampleEnvironment } from "./fixtures/example-environment.ts";
import { exampleInput } from "./fixtures/example-input.ts";

const settingsIn = (path: string): readonly string[] => {
  const text = renderStack(exampleInput(exampleEnvironment())).files.find((file) => file.path === path)?.content ?? "";
  return [...text.matchAll(/^([a-z_]+) = /gm)].map((match) => match[1] ?? "").sort();
};

/** The live test asks PostgreSQL itself (`context` in pg_settings); this one fails sooner. */
it("keeps what PostgreSQL takes only at a start out of what is reloaded, and the other way round", () => {
  expect(settingsIn("database/postgresql.conf")).toEqual([
    // Not for a restart, but because it names files that the container mounts.
    "archive_command",
    "archive_mode",
    "hba_file",
    "huge_pages",
    "listen_addresses",
    "max_connections",
    "port",
    "shared_buffers",
    "shared_preload_libraries",
    "superuser_reserved_connections",
    "unix_socket_directories",
  ]);
  const reloaded = settingsIn("database/settings/reload.conf");
  expect(reloaded).toContain("work_mem");
  expect(
    reloaded.filter((name) => /^(max_connections|shared_|wal_level|wal_buffers|archive_mode|huge_pages|io_m|max_worker|max_wal_senders)/.test(name)),
  ).toEqual([]);
});
