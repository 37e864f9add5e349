import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { type LabStore, labStore } from "../lab/stores.ts";
import { eventually } from "./eventually.ts";
import { type Plant, STACK, createPlant, dataOf } from "./plant.ts";
import { story } from "./steps.ts";

/** On practice hosts with stores, MILLWRIGHT_STORES=1: building their programs takes minutes. */
const ASKED = (process.env["MILLWRIGHT_STORES"] ?? "") !== "";

describe.skipIf(!ASKED)("a bucket that whoever took over the host has overwritten and emptied", () => {
  let plant: Plant;
  let store: LabStore<"s3-by-time">;
  /** Just before the attack. */
  let time: Date;
  const step = story(() => plant);

  const sql = async (query: string): Promise<string> =>
    await plant.sh("docker", "exec", "-u", "postgres", `${STACK}-database-1`, "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", "odoo", "-c", query);
  const backUp = async (): Promise<Record<string, unknown>> => (await plant.must("backup", "run"))["run"] as Record<string, unknown>;
  const allArchived = async (): Promise<void> => {
    await sql("SELECT pg_switch_wal()");
    const waiting = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'";
    await eventually(async () => (await sql(waiting)) === "0", { timeout: 150_000, what: "the log to be archived" });
  };

  beforeAll(async () => {
    [plant, store] = await Promise.all([createPlant({ host: "wiped", template: "loaded" }), labStore({ kind: "s3-by-time" })]);
    const { endpoint, bucket, region, client, authority } = store.reach;
    await writeFile(join(plant.directory, "certificates/store.pem"), authority);
    await plant.configure({
      "backup.offsite": { kind: "s3", endpoint: new URL(endpoint).host, bucket, region, path: "/plant", ca: "certificates/store.pem" },
    });
    dataOf(await plant.runWith(client.key, "secrets", "set", "backup_s3_key"));
    dataOf(await plant.runWith(client.secret, "secrets", "set", "backup_s3_secret"));
    await plant.bootstrap();
    await plant.serveFirst();
    expect(await backUp()).toMatchObject({ summary: expect.stringMatching(/offsite as well\.$/) });
  });
  afterAll(async () => {
    await store?.[Symbol.asyncDispose]();
    await plant?.[Symbol.asyncDispose]();
  });

  step("has all of its old versions, for the host's key destroys none, and the next backup says that it holds none", async () => {
    await allArchived();
    // Times of objects are whole seconds: the one to go back to is over before the first object is touched.
    time = new Date((Math.floor(Date.now() / 1000) + 1) * 1000);
    await eventually(() => Date.now() >= time.getTime() + 1000);
    expect(await store.attack()).toBeGreaterThan(0);
    const { before, left } = await store.destroyVersions("client");
    expect(left).toBe(before);
    expect(await backUp()).toMatchObject({ outcome: "done", summary: expect.stringContaining("held backups and holds none") });
  });

  step("is what it was once its owner has brought that time back: a drill from there passes, the log follows, and so does the next backup", async () => {
    expect(await store.asOf(time)).toBeGreaterThan(0);
    const { run } = (await plant.must("backup", "drill", "--from", "offsite")) as { readonly run: { readonly result: Readonly<Record<string, number>> } };
    process.stderr.write(`drill from a bucket brought back by time: RPO ${run.result["rpoSeconds"]} s, RTO ${run.result["rtoSeconds"]} s\n`);
    await allArchived();
    expect(await backUp()).toMatchObject({ summary: expect.stringMatching(/offsite as well\.$/) });
    dataOf(await plant.run("backup", "verify", "--from", "offsite"));
  });
});
