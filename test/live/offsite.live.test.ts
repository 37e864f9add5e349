import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { type LabStore, labStore } from "../lab/stores.ts";
import { eventually } from "./eventually.ts";
import { type Plant, STACK, createPlant, dataOf, errorOf } from "./plant.ts";
import { story } from "./steps.ts";

interface Backup {
  readonly id: string;
  readonly offsite?: { readonly database: { readonly label: string; readonly type: string }; readonly files: { readonly files: number } };
}

/** On practice hosts with stores, MILLWRIGHT_STORES=1: building their programs takes minutes. */
const ASKED = (process.env["MILLWRIGHT_STORES"] ?? "") !== "";

describe.skipIf(!ASKED)("backups in an offsite repository", () => {
  let plant: Plant;
  let store: LabStore<"s3">;
  const step = story(() => plant);

  const inDatabase = async (...words: string[]): Promise<string> => await plant.sh("docker", "exec", "-u", "postgres", `${STACK}-database-1`, ...words);
  const sql = async (query: string): Promise<string> => await inDatabase("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", "odoo", "-c", query);
  const newest = async (): Promise<Backup> => ((await plant.must("backup", "list"))["backups"] as readonly Backup[]).at(-1) ?? expect.fail("no backup");
  const concerns = async (): Promise<readonly string[]> => (await plant.must("status"))["concerns"] as readonly string[];
  /** Segments that PostgreSQL keeps because not every repository has them. */
  const waiting = async (): Promise<number> => Number(await sql("SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"));
  const outcomeOf = (data: Record<string, unknown>): Record<string, unknown> => data["run"] as Record<string, unknown>;

  beforeAll(async () => {
    [plant, store] = await Promise.all([createPlant({ host: "offsite", template: "loaded" }), labStore({ kind: "s3" })]);
    const { endpoint, bucket, region, client, authority } = store.reach;
    await writeFile(join(plant.directory, "certificates/store.pem"), authority);
    await plant.configure({
      "backup.offsite": { kind: "s3", endpoint: new URL(endpoint).host, bucket, region, path: "/plant", ca: "certificates/store.pem" },
    });
    const missing = errorOf(await plant.run("check"));
    expect(missing).toMatchObject({ code: "SECRET_MISSING", hint: expect.stringContaining("millwright secrets set backup_s3_key production") });
    for (const [name, value] of [
      ["backup_s3_key", client.key],
      ["backup_s3_secret", client.secret],
    ] as const)
      dataOf(await plant.runWith(value, "secrets", "set", name));
    await plant.bootstrap();
    await plant.serveFirst();
  });
  afterAll(async () => {
    await store?.[Symbol.asyncDispose]();
    await plant?.[Symbol.asyncDispose]();
  });

  step("a backup is made on the host, then there, and no word of the account can be seen on the host", async () => {
    const run = outcomeOf(await plant.must("backup", "run"));
    expect(run).toMatchObject({ outcome: "done", summary: expect.stringMatching(/offsite as well\.$/) });
    expect(await newest()).toMatchObject({ id: run["run"], offsite: { database: { type: "full" } } });
    expect(await concerns()).toEqual(["No backup was proven yet: run `millwright backup drill`."]);
    const seen = await plant.host.sh(["sh", "-c", `docker inspect $(docker ps -q); cat /srv/millwright/${STACK}/state/runs/*/*; ps axww -o args`]);
    expect(seen.stdout).not.toContain(store.reach.client.secret);
  });

  step("a drill of what is there needs nothing of the host's own repository, and runs without a network once it has its log", async () => {
    const { result, outcome } = outcomeOf(await plant.must("backup", "drill", "--from", "offsite")) as { outcome: string; result: Record<string, number> };
    expect(outcome).toBe("done");
    process.stderr.write(`drill from offsite: RPO ${result["rpoSeconds"]} s, RTO ${result["rtoSeconds"]} s\n`);
    expect(await plant.sh("docker", "ps", "-aq", "--filter", `label=com.docker.compose.project=${STACK}-recovery`)).toBe("");
    dataOf(await plant.run("backup", "verify", "--from", "offsite"));
  });

  step("with the store gone the backup on the host is good all the same; the run, the list and the status say what is missing", async () => {
    await store.stop();
    const began = Date.now();
    const run = outcomeOf(await plant.must("backup", "run"));
    process.stderr.write(`backup without the store: ${Math.round((Date.now() - began) / 1000)} s\n`);
    expect(run).toMatchObject({ outcome: "done", summary: expect.stringContaining("but only on the host") });
    expect(await newest()).toMatchObject({ id: run["run"] });
    expect(await newest()).not.toHaveProperty("offsite");
    expect((await concerns()).join("\n")).toContain("not in the offsite repository");
    dataOf(await plant.run("backup", "verify"));
    expect(await waiting()).toBeGreaterThan(0);
  });

  step("back again, it gets all of the log that was kept for it, and the next backup", async () => {
    await store.start();
    await sql("SELECT pg_switch_wal()");
    await eventually(async () => (await waiting()) === 0, { timeout: 150_000, what: "the log to be archived" });
    expect(outcomeOf(await plant.must("backup", "run"))).toMatchObject({ summary: expect.stringMatching(/offsite as well\.$/) });
    dataOf(await plant.run("backup", "verify", "--from", "offsite"));
    expect(await concerns()).toEqual([]);
  });

  step("emptied by somebody it is not made anew over its old versions, the run says so, and once it has them again it is as it was", async () => {
    expect(await store.wipe()).toBeGreaterThan(0);
    const { before, left } = await store.destroyVersions("client");
    expect(left).toBe(before);
    expect(outcomeOf(await plant.must("backup", "run"))).toMatchObject({ outcome: "done", summary: expect.stringContaining("held backups and holds none") });
    expect(await store.unwipe()).toBeGreaterThan(0);
    expect(outcomeOf(await plant.must("backup", "run"))).toMatchObject({ summary: expect.stringMatching(/offsite as well\.$/) });
    dataOf(await plant.run("backup", "drill", "--from", "offsite"));
  });
});
