import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";

const PARTS = "blueprints/odoo/parts";
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

interface Place {
  readonly run: (...words: readonly string[]) => Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  readonly told: () => Promise<readonly string[]>;
}

/** A script with folders of its own, and programs that write down what they were told. */
async function place(script: string, programs: Readonly<Record<string, string>>): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "standby-"));
  folders.push(folder);
  const text = (await readFile(join(PARTS, script), "utf8")).replaceAll("/tmp/", `${folder}/`).replaceAll("/opt/millwright/", `${folder}/`);
  await writeFile(join(folder, "script"), text);
  for (const [name, body] of Object.entries(programs)) {
    await writeFile(join(folder, name), `#!/bin/sh\necho "${name} $*" >> ${folder}/told\n${body.replaceAll("/tmp/", `${folder}/`)}\n`);
    await chmod(join(folder, name), 0o755);
  }
  const env = { PATH: `${folder}:${process.env["PATH"] ?? ""}`, STACK: "acme-production", FILES: "/data/filestore/odoo" };
  return {
    run: async (...words) =>
      await new Promise((resolve) => {
        execFile("/bin/sh", [join(folder, "script"), ...words], { env }, (error, stdout, stderr) =>
          resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr }),
        );
      }),
    told: async () => (await readFile(join(folder, "told"), "utf8").catch(() => "")).split("\n").filter(Boolean),
  };
}

// They run in Linux containers: timeout is of there.
describe.runIf(process.platform === "linux")("the start of a database that has a standby", () => {
  const CONTROL = `echo "Latest checkpoint's TimeLineID:       9"`;
  const start = async (repository: string, control = CONTROL) =>
    await place("database/start.sh", { pg_controldata: control, pgbackrest: repository, "docker-entrypoint.sh": "" });

  it("is refused when another host was promoted: the line of the log after its own has begun", async () => {
    const { run, told } = await start("exit 0");
    const { code, stderr } = await run("postgres", "-c", "x=y");
    expect([code, stderr]).toEqual([1, expect.stringContaining("Another host has taken this plant over (0000000A.history")]);
    expect(await told()).not.toContainEqual(expect.stringContaining("docker-entrypoint.sh"));
  });

  it.each([
    ["the repository has no such line", "exit 1"],
    ["the repository does not answer", "exit 103"],
  ])("goes on when %s", async (_why, repository) => {
    const { run, told } = await start(repository);
    expect((await run("postgres", "-c", "x=y")).code).toBe(0);
    expect((await told()).at(-1)).toBe("docker-entrypoint.sh postgres -c x=y");
  });

  it("asks nobody when there is no database yet", async () => {
    const { run, told } = await start("exit 0", "exit 1");
    expect((await run("postgres")).code).toBe(0);
    expect((await told()).map((line) => line.split(" ")[0])).toEqual(["pg_controldata", "docker-entrypoint.sh"]);
  });
});

describe.runIf(process.platform === "linux")("the files of a standby", () => {
  const NEWEST = `case "$*" in *snapshots*) echo '[{"time":"2026-11-24T01:59:30.123456789+00:00","tree":"ab","paths":["/data/filestore/odoo"],"id":"0f0e","short_id":"0f0e12ab"}]' ;; esac`;
  const follow = async (files: string): Promise<Place> => await place("backup/follow.sh", { "files.sh": files });

  it("are those of the newest snapshot, fetched once, and no lock of the repository is touched", async () => {
    const { run, told } = await follow(NEWEST);
    expect(await run("followed")).toMatchObject({ code: 0, stdout: "" });
    expect(await run("now")).toMatchObject({ code: 0, stdout: "2026-11-24T01:59:30Z\n" });
    expect(await run("now")).toMatchObject({ code: 0, stdout: "2026-11-24T01:59:30Z\n" });
    const asked = await told();
    expect(asked.filter((line) => line.includes("restore"))).toEqual([expect.stringContaining("restore 0f0e12ab:/data --target /data --overwrite if-changed")]);
    expect(asked.every((line) => line.includes(" --no-lock "))).toBe(true);
  });

  it("are not said to be there when they could not all be fetched", async () => {
    const { run } = await follow(`${NEWEST}; case "$*" in *restore*) exit 1 ;; esac`);
    expect((await run("now")).code).not.toBe(0);
    expect((await run("followed")).stdout).toBe("");
  });

  it("are none when the repository is out of reach or holds no snapshot", async () => {
    for (const answer of ["exit 137", "echo '[]'"]) expect((await (await follow(answer)).run("now")).code).not.toBe(0);
  });
});
