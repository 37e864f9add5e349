import { spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";

const SCRIPT = "blueprints/odoo/parts/backup/files.sh";
/** Writes down what it was told; a check goes on until it may end. */
const RESTIC = `#!/bin/sh
echo "$*\${RESTIC_REPOSITORY+ to $RESTIC_REPOSITORY}\${RESTIC_PASSWORD_FILE+ by $RESTIC_PASSWORD_FILE}" >> "$PLACE_OF_TEST/told"
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
  readonly offsite: (says: string) => Promise<void>;
  readonly letGo: () => Promise<void>;
}

/** The script with folders of its own, and a restic that does nothing. */
async function place(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "files-"));
  folders.push(folder);
  const script = (await readFile(SCRIPT, "utf8")).replaceAll("/tmp/", `${folder}/`).replace("/run/secrets/offsite.sh", `${folder}/offsite.sh`);
  await writeFile(join(folder, "files.sh"), script);
  await writeFile(join(folder, "restic"), RESTIC);
  await chmod(join(folder, "restic"), 0o755);
  const env: NodeJS.ProcessEnv = { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}`, PLACE_OF_TEST: folder };
  return {
    run: async (...words) =>
      await new Promise((resolve, reject) => {
        spawn("/bin/sh", [join(folder, "files.sh"), ...words], { env, stdio: "ignore" })
          .on("error", reject)
          .on("exit", (code) => resolve(code ?? -1));
      }),
    told: async () => (await readFile(join(folder, "told"), "utf8").catch(() => "")).split("\n").filter(Boolean),
    // As in the container that has an offsite repository.
    offsite: async (says) => {
      await writeFile(join(folder, "offsite.sh"), says);
      env["RESTIC_PASSWORD_FILE"] = "/run/secrets/files-key";
    },
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

  it("opens the repository beside the offsite one, in which the site folder lies, without the key of the others", async () => {
    const { run, told, offsite } = await place();
    await offsite("export RESTIC_REPOSITORY='s3:https://nas:9000/acme/production/files'");
    expect(await run("offsite-open", "60", "backup", "/host/site.tar.gz.age")).toBe(0);
    expect(await run("offsite", "60", "snapshots")).toBe(0);
    expect((await told()).filter((words) => !words.includes("unlock"))).toEqual([
      "--no-cache --insecure-no-password backup /host/site.tar.gz.age to s3:https://nas:9000/acme/production/site",
      "--no-cache snapshots to s3:https://nas:9000/acme/production/files by /run/secrets/files-key",
    ]);
  });
});
