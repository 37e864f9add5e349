import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { completionCommand } from "../../src/cli/commands/completion.ts";
import type { CliContext } from "../../src/cli/context.ts";
import { Output } from "../../src/cli/output.ts";
import { buildProgram } from "../../src/cli/program.ts";

const silent = { write: (): void => {} };
const context = {
  output: new Output({ mode: "text", streams: { stdout: silent, stderr: silent }, colour: false, live: false, debug: false }),
} as unknown as CliContext;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millwright-completion-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What bash proposes for a line that is typed in the folder. */
async function proposals(...words: readonly string[]): Promise<readonly string[]> {
  const { text } = await completionCommand(buildProgram(context, () => {}).root)({ shell: "bash" }, context);
  const line = ["millwright", ...words].map((word) => `'${word}'`).join(" ");
  const script = `${text}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length}; _millwright; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)("bash", ["--norc", "-c", script], { cwd: folder });
  return stdout.split("\n").filter((proposal) => proposal !== "");
}

describe("completion in bash", () => {
  it("proposes commands, their parts and flags", async () => {
    expect(await proposals("rol")).toEqual(["rollback"]);
    expect(await proposals("hel")).toEqual(["help"]);
    expect(await proposals("--js")).toEqual(["--json", "--json-lines"]);
    expect(await proposals("host", "b")).toEqual(["bootstrap"]);
    expect(await proposals("backup", "po")).toEqual(["point"]);
    expect(await proposals("secrets", "reco")).toEqual(["recovery-key"]);
    expect(await proposals("backup", "restore", "--reco")).toEqual(["--recovery-key"]);
    expect(await proposals("upgrade", "--dry")).toEqual(["--dry-run"]);
    expect(await proposals("upgrade", "--pre")).toEqual(["--preview"]);
    expect(await proposals("host", "trust", "--jump")).toEqual(["--jump-fingerprint"]);
  });

  it("proposes --local only where the agent does the work", async () => {
    expect(await proposals("host", "fence", "--loc")).toEqual(["--local"]);
    for (const part of ["trust", "bootstrap", "check"]) expect(await proposals("host", part, "--loc")).toEqual([]);
  });

  it("proposes the environments of the folder's site.yaml", async () => {
    await writeFile(join(folder, "site.yaml"), "version: 1\nenvironments:\n  production:\n    host: {}\n  staging:\n    host: {}\nbackup:\n  at: x\n");
    expect(await proposals("deploy", "")).toEqual(expect.arrayContaining(["production", "staging"]));
    expect(await proposals("deploy", "")).not.toContain("at");
  });

  it("proposes the folder's releases, for a flag and for a command, and nothing else after such a flag", async () => {
    await mkdir(join(folder, "releases"));
    for (const name of ["2026-11-24-1.yaml", "2026-11-24-2.yaml", "$(touch pwned).yaml", "notes.txt"]) await writeFile(join(folder, "releases", name), "");
    expect(await proposals("upgrade", "--release", "")).toEqual(["2026-11-24-1", "2026-11-24-2"]);
    expect(await proposals("release", "show", "2026-11-24-2")).toEqual(["2026-11-24-2"]);
    expect(await proposals("release", "push", "2026-11-24-1", "--from", "--")).toEqual([]);
    await expect(access(join(folder, "pwned"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("proposes what a flag may be, and leaves files to the shell", async () => {
    expect(await proposals("backup", "drill", "--from", "")).toEqual(["local", "offsite"]);
    expect(await proposals("new", "--answers", "")).toEqual([]);
  });

  it("runs nothing that stands in a site.yaml, such as that of a folder somebody sent", async () => {
    await writeFile(join(folder, "site.yaml"), "environments:\n  a$(touch${IFS}pwned):\n    host: {}\n  b`touch${IFS}pwned`:\n    host: {}\n");
    await proposals("deploy", "");
    await expect(access(join(folder, "pwned"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
