import { spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SiteFixture } from "./site-fixture.ts";

const TSX = resolve("node_modules/tsx/dist/esm/index.mjs");
const MAIN = resolve("src/cli/main.ts");

let empty: string;
beforeAll(async () => {
  empty = await mkdtemp(join(tmpdir(), "millwright-process-"));
});
afterAll(async () => {
  await rm(empty, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line as a process of its own. `shut` closes the reading end of a stream before anything is written to it. */
async function millwright(
  words: readonly string[],
  options: { readonly shut?: "stdout" | "stderr"; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, ["--import", TSX, MAIN, ...words], {
    cwd: empty,
    env: { PATH: process.env["PATH"], HOME: empty, ...options.environment },
  });
  if (options.shut !== undefined) child[options.shut].destroy();
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return await new Promise((ended, failed) => {
    child.on("error", failed);
    child.on("close", (code) => ended({ code, stdout, stderr }));
  });
}

describe("the command line as a process", () => {
  it("keeps its exit status when nobody reads its messages any more", async () => {
    expect((await millwright(["check"], { shut: "stderr" })).code).toBe(2);
  });

  it("ends without a fault when nobody reads its result any more", async () => {
    const { code, stderr } = await millwright(["new", "--list"], { shut: "stdout" });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("fails when nobody reads a secret that is shown once, and says to make it again", async () => {
    await using fixture = await SiteFixture.make();
    await cp(join(fixture.folder, "config"), join(fixture.folder, "millwright"), { recursive: true });
    const { code, stderr } = await millwright(["secrets", "recovery-key", "--yes", "--site", fixture.site], {
      shut: "stdout",
      environment: { XDG_CONFIG_HOME: fixture.folder },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/Error: Standard output does not take the result: .*EPIPE.*\n[^]*Next: Nobody has seen it\. Run the command again/);
    expect(stderr).not.toContain("AGE-SECRET-KEY");
  });

  it("says that its result found no room, where standard output takes none", async () => {
    const child = spawn("sh", ["-c", `exec "$0" "$@" >/dev/full`, process.execPath, "--import", TSX, MAIN, "new", "--list", "--json"], { cwd: empty });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const code = await new Promise((ended) => child.on("close", ended));
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^Error: Standard output does not take the result: .*\n[^]*\(DISK_FULL, exit 1\)\n$/),
    });
  });
});

describe("a command line with a mistake", () => {
  it("is told with what was meant, where to look, its code and its status", async () => {
    const { code, stdout, stderr } = await millwright(["host", "trust", "--fingerprnt", "x"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n")).toEqual([
      "Error: unknown option '--fingerprnt'",
      "  (Did you mean --fingerprint?)",
      "Next: `millwright host trust --help` lists what it takes.",
      "(USAGE, exit 2)",
      "",
    ]);
  });

  it("names the command in JSON, whose flags may stand before it", async () => {
    const { code, stdout, stderr } = await millwright(["--json", "host", "trust", "--nope"]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ command: "host trust", ok: false, error: { code: "USAGE", message: "unknown option '--nope'" } });
    const refused = await millwright(["--debug", "--json", "check"]);
    expect(JSON.parse(refused.stdout)).toMatchObject({ command: "check", error: { code: "SITE_NOT_FOUND" } });
  });

  it("can ask for help in words", async () => {
    const { code, stdout } = await millwright(["help", "upgrade"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Usage: millwright upgrade");
  });
});
