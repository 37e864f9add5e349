import { spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";

const SCRIPT = "blueprints/odoo/parts/backup/files.sh";
/** Writes down what it was told; a check goes on until it may end. */
const RESTIC = `#!/bin/sh
echo "$*" >> "$PLACE_OF_TEST/told"
case " $* " in *" check "*) while [ -d "$PLACE_OF_TEST" ] && [ ! -e "$PLACE_OF_TEST/go" ]; do sleep 0.02; done ;; esac
`;

const folders: string[] = [];
// What still waits in there ends with it.
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

interface Place {
  readonly run: (...words: readonly string[]) => Promise<number>;
  readonly told: () => Promise<readonly string[]>;
  readonly letGo: () => Promise<void>;
}

/** The script with folders of its own, and a restic that does nothing. */
async function place(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "files-"));
  folders.push(folder);
  const script = (await readFile(SCRIPT, "utf8")).replaceAll("/tmp/", `${folder}/`);
  await writeFile(join(folder, "files.sh"), script);
  await writeFile(join(folder, "restic"), RESTIC);
  await chmod(join(folder, "restic"), 0o755);
  const env = { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}`, PLACE_OF_TEST: folder };
  return {
    run: async (...words) =>
      await new Promise((resolve, reject) => {
        spawn("/bin/sh", [join(folder, "files.sh"), ...words], { env, stdio: "ignore" })
          .on("error", reject)
          .on("exit", (code) => resolve(code ?? -1));
      }),
    told: async () => (await readFile(join(folder, "told"), "utf8").catch(() => "")).split("\n").filter(Boolean),
    letGo: async () => await writeFile(join(folder, "go"), ""),
  };
}

// It runs in a Linux container: flock and timeout are of there.
describe.runIf(process.platform === "linux")("the script of the files' repository", () => {
  it("lets a snapshot be taken while all of it is read, which takes hours, and breaks no lock for the reading", async () => {
    const { run, told, letGo } = await place();
    const check = run("run", "--quiet", "--no-lock", "check", "--read-data");
    await vi.waitUntil(async () => (await told()).some((words) => words.includes("check")), { timeout: 10_000 });
    expect(await run("run", "--quiet", "backup", "/data")).toBe(0);
    expect(await told()).toEqual([
      "--no-cache --quiet --no-lock cat config",
      "--no-cache --quiet --no-lock check --read-data",
      "--no-cache --quiet unlock --remove-all",
      "--no-cache --quiet backup /data",
    ]);
    await letGo();
    expect(await check).toBe(0);
  });
});
