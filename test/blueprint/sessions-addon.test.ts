import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderStack } from "../../src/blueprint/render-stack.ts";
import { exampleEnvironment } from "./fixtures/example-environment.ts";
import { BLUEPRINT_DIRECTORY, exampleInput } from "./fixtures/example-input.ts";

const hasPython = spawnSync("python3", ["--version"]).status === 0;

describe.skipIf(!hasPython)("the session addon", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sessions-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("keeps its promises to Odoo, against a Redis with the rendered configuration where there is one", async () => {
    const stack = renderStack(exampleInput(exampleEnvironment()));
    for (const path of ["cache/redis.conf", "cache/users.acl"]) {
      const content = stack.files.find((file) => file.path === path)?.content ?? "";
      await writeFile(join(folder, path.slice(6)), content.replaceAll(/<<secret redis_(\w+)>>/g, "$1-password"));
    }
    const test = fileURLToPath(new URL("sessions_addon_test.py", import.meta.url));
    const words = [test, join(BLUEPRINT_DIRECTORY, "parts/cache/addons"), join(folder, "redis.conf"), join(folder, "users.acl")];
    const { stderr } = await promisify(execFile)("python3", words).catch((error: { stderr?: string }) => ({ stderr: error.stderr ?? "" }));
    expect(stderr).toMatch(/\nOK( \(skipped=\d+\))?\s*$/);
  }, 60_000);
});
