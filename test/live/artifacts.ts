import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LabHost } from "../lab/lab.ts";
import type { Outcome } from "./operator.ts";

interface Scene {
  readonly host: LabHost;
  /** The stack's folder on the host. */
  readonly base: string;
  readonly directory: string;
  readonly outcomes: readonly Outcome[];
  readonly reason: string;
}

/** What is looked at on the host after a failure; each is a file of its own. */
const LOOKS: Readonly<Record<string, (base: string) => string>> = {
  "containers.txt": () => "docker ps --all --no-trunc; docker images",
  "container-logs.txt": () => 'for c in $(docker ps --all --format "{{.Names}}"); do echo "== $c"; docker logs --tail 150 "$c" 2>&1; done',
  "agent.txt": () => 'journalctl --no-pager --lines=400 --unit "millwright*"; systemctl list-units --all "millwright*"',
  "system.txt": () => "journalctl --no-pager --lines=300 --priority=warning; df -h; free -m; ss -tlnp",
  "journal.jsonl": (base) => `cat ${base}/state/journal.jsonl`,
  "events.txt": (base) => `for f in $(ls -t ${base}/state/runs/*/events.jsonl | head -5); do echo "== $f"; cat "$f"; done`,
  "state.txt": (base) => `cd ${base} && find . -path ./data -prune -o -type f -print; cat state/lock state/serving.json traffic/dynamic/* 2>&1`,
  "evidence.txt": (base) => `for f in ${base}/state/runs/*/evidence/*; do echo "== $f"; head -c 4000 "$f"; echo; done`,
};

/** Copies what tells about a failure into a folder that stays, and gives its path. */
export async function collectArtifacts(scene: Scene): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `millwright-failure-${scene.reason.replaceAll(/\W+/g, "-").slice(0, 40)}-`));
  const said = scene.outcomes.map((outcome) => `$ millwright ${outcome.words.join(" ")}\n${outcome.stdout}${outcome.stderr}exit ${outcome.code}\n`);
  await writeFile(join(folder, "commands.txt"), said.join("\n"));
  for (const [file, look] of Object.entries(LOOKS)) {
    // A host that does not answer is itself what there is to tell.
    const text = await scene.host.sh(["sh", "-c", look(scene.base)]).then(
      ({ stdout, stderr }) => `${stdout}${stderr}`,
      (error: unknown) => `not to be had: ${String(error)}`,
    );
    await writeFile(join(folder, file), text);
  }
  // The story may have lost it.
  if (!existsSync(scene.directory)) return folder;
  const site = join(folder, "site");
  await mkdir(site);
  await cp(scene.directory, site, { recursive: true, filter: (path) => !path.includes("/secrets") });
  return folder;
}
