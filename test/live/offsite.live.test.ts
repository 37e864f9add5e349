import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { labHost } from "../lab/lab.ts";
import { type LabStore, labStore } from "../lab/stores.ts";
import { eventually } from "./eventually.ts";
import { type Plant, STACK, createPlant, dataOf, errorOf, fingerprintOf } from "./plant.ts";
import { story } from "./steps.ts";

interface Backup {
  readonly id: string;
  readonly offsite?: { readonly database: { readonly label: string; readonly type: string }; readonly files: { readonly files: number } };
}

/** On practice hosts with stores, MILLWRIGHT_STORES=1: building their programs takes minutes. */
const ASKED = (process.env["MILLWRIGHT_STORES"] ?? "") !== "";

/** A store, and what the site has to know of it. */
interface Offsite {
  readonly store: LabStore;
  /** `backup.offsite` of site.yaml. */
  readonly says: Readonly<Record<string, unknown>>;
  readonly account: Readonly<Record<string, string>>;
  /** What of the account nobody may see. */
  readonly hidden: readonly string[];
  /** It is out of reach, and back. */
  readonly goes: () => Promise<void>;
  readonly comes: () => Promise<void>;
  /** Somebody removes what can be removed with the account. */
  readonly wipe: () => Promise<void>;
  /** What an operator does then, by docs/backup.md. */
  readonly mends: () => Promise<void>;
}

async function inBucket(plant: Plant): Promise<Offsite> {
  const store = await labStore({ kind: "s3" });
  const { endpoint, bucket, region, client, authority } = store.reach;
  await writeFile(join(plant.directory, "certificates/store.pem"), authority);
  return {
    store,
    says: { kind: "s3", endpoint: new URL(endpoint).host, bucket, region, path: "/plant", ca: "certificates/store.pem" },
    account: { backup_s3_key: client.key, backup_s3_secret: client.secret },
    hidden: [client.secret],
    goes: () => store.stop(),
    comes: () => store.start(),
    wipe: async () => {
      expect(await store.wipe()).toBeGreaterThan(0);
      const { before, left } = await store.destroyVersions("client");
      expect(left).toBe(before);
    },
    mends: async () => {
      expect(await store.unwipe()).toBeGreaterThan(0);
    },
  };
}

async function onOtherHost(plant: Plant): Promise<Offsite> {
  const store = await labStore({ kind: "sftp" });
  const { address, port, user, path, privateKey, hostKeys } = store.reach;
  const says = { kind: "sftp", server: `${address}:${port}`, user, path: `${path}/plant`, hostKeys };
  return {
    store,
    says,
    account: { backup_sftp_key: privateKey },
    hidden: privateKey.split("\n").filter((line) => line !== "" && !line.startsWith("-----")),
    // Not a word from it, where the bucket's server refuses.
    goes: () => store.host.powerCut(),
    comes: () => store.host.powerOn(),
    wipe: async () => {
      expect(await store.wipe()).toBeGreaterThan(0);
    },
    mends: async () => {
      await plant.configure({ "backup.offsite": { ...says, path: `${path}/anew` } });
      await plant.must("deploy", "--yes");
    },
  };
}

const KINDS = [
  ["a bucket", inBucket],
  ["another host by SFTP", onOtherHost],
] as const;

describe.skipIf(!ASKED).each(KINDS)("backups in an offsite repository, %s", (_name, serve) => {
  let plant: Plant;
  let offsite: Offsite;
  let recoveryKey: string;
  const step = story(() => plant);

  const inDatabase = async (...words: string[]): Promise<string> => await plant.sh("docker", "exec", "-u", "postgres", `${STACK}-database-1`, ...words);
  const sql = async (query: string): Promise<string> => await inDatabase("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", "odoo", "-c", query);
  const newest = async (): Promise<Backup> => ((await plant.must("backup", "list"))["backups"] as readonly Backup[]).at(-1) ?? expect.fail("no backup");
  const concerns = async (): Promise<readonly string[]> => (await plant.must("status"))["concerns"] as readonly string[];
  /** Segments that PostgreSQL keeps because not every repository has them. */
  const waiting = async (): Promise<number> => Number(await sql("SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"));
  const outcomeOf = (data: Record<string, unknown>): Record<string, unknown> => data["run"] as Record<string, unknown>;

  beforeAll(async () => {
    plant = await createPlant({ host: "offsite", template: "loaded" });
    recoveryKey = await plant.recoveryKey();
    offsite = await serve(plant);
    await plant.configure({ "backup.offsite": offsite.says });
    const secrets = Object.entries(offsite.account);
    const missing = errorOf(await plant.run("check"));
    expect(missing).toMatchObject({ code: "SECRET_MISSING", hint: expect.stringContaining(`millwright secrets set ${secrets[0]?.[0]} production`) });
    for (const [secret, value] of secrets) dataOf(await plant.runWith(value, "secrets", "set", secret));
    await plant.bootstrap();
    await plant.serveFirst();
  });
  afterAll(async () => {
    await offsite?.store[Symbol.asyncDispose]();
    await plant?.[Symbol.asyncDispose]();
  });

  step("a backup is made on the host, then there, and no word of the account can be seen on the host", async () => {
    const run = outcomeOf(await plant.must("backup", "run"));
    expect(run).toMatchObject({ outcome: "done", summary: expect.stringMatching(/offsite as well\.$/) });
    expect(await newest()).toMatchObject({ id: run["run"], offsite: { database: { type: "full" } } });
    expect(await concerns()).toEqual(["No backup was proven yet: run `millwright backup drill`."]);
    const seen = await plant.host.sh(["sh", "-c", `docker inspect $(docker ps -q); cat /srv/millwright/${STACK}/state/runs/*/*; ps axww -o args`]);
    expect(offsite.hidden.filter((word) => seen.stdout.includes(word))).toEqual([]);
  });

  step("a drill of what is there needs nothing of the host's own repository, and runs without a network once it has its log", async () => {
    const { result, outcome } = outcomeOf(await plant.must("backup", "drill", "--from", "offsite")) as { outcome: string; result: Record<string, number> };
    expect(outcome).toBe("done");
    process.stderr.write(`drill from offsite: RPO ${result["rpoSeconds"]} s, RTO ${result["rtoSeconds"]} s\n`);
    expect(await plant.sh("docker", "ps", "-aq", "--filter", `label=com.docker.compose.project=${STACK}-recovery`)).toBe("");
    dataOf(await plant.run("backup", "verify", "--from", "offsite"));
  });

  step("with the store gone the backup on the host is good all the same; the run, the list and the status say what is missing", async () => {
    await offsite.goes();
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
    await offsite.comes();
    await sql("SELECT pg_switch_wal()");
    await eventually(async () => (await waiting()) === 0, { timeout: 150_000, what: "the log to be archived" });
    expect(outcomeOf(await plant.must("backup", "run"))).toMatchObject({ summary: expect.stringMatching(/offsite as well\.$/) });
    dataOf(await plant.run("backup", "verify", "--from", "offsite"));
    expect(await concerns()).toEqual(["No backup was proven yet: run `millwright backup drill`."]);
  });

  step("emptied by somebody it is not made anew, the run says so, and once that is mended backups there are whole and proven", async () => {
    await offsite.wipe();
    expect(outcomeOf(await plant.must("backup", "run"))).toMatchObject({ outcome: "done", summary: expect.stringContaining("held backups and holds none") });
    await offsite.mends();
    expect(outcomeOf(await plant.must("backup", "run"))).toMatchObject({ summary: expect.stringMatching(/offsite as well\.$/) });
    dataOf(await plant.run("backup", "drill", "--from", "offsite"));
  });

  if (serve === onOtherHost)
    step("a host in its place that shows other keys gets nothing, and the run says why", async () => {
      const onStore = async (script: string): Promise<string> => (await offsite.store.host.sh(["sh", "-ec", script])).stdout;
      const held = "find /srv/sftp -type f | sort | md5sum";
      await onStore("mkdir /etc/ssh/own; mv /etc/ssh/ssh_host_* /etc/ssh/own; ssh-keygen -q -A; systemctl restart ssh");
      const before = await onStore(held);
      expect(outcomeOf(await plant.must("backup", "run"))).toMatchObject({ outcome: "done", summary: expect.stringContaining("known hosts failure") });
      expect(await onStore(held)).toBe(before);
      await onStore("mv /etc/ssh/own/* /etc/ssh; systemctl restart ssh");
      expect(outcomeOf(await plant.must("backup", "run"))).toMatchObject({ summary: expect.stringMatching(/offsite as well\.$/) });
    });

  step("a host that is lost with its disk and every laptop comes back on a bare one, from there and the recovery key, by one command", async () => {
    const before = await sql("SELECT count(*) FROM ir_attachment");
    // As anybody does who has restic and an account there.
    const dump = "restic -q --no-cache --no-lock --insecure-no-password dump latest /host/site.tar.gz.age";
    const script = `. /run/secrets/offsite.sh; unset RESTIC_PASSWORD_FILE; export RESTIC_REPOSITORY="\${RESTIC_REPOSITORY%/files}/site"; ${dump}`;
    const fetched = join(plant.scratch, "site.tar.gz.age");
    await writeFile(fetched, await plant.sh("docker", "exec", `${STACK}-backup-1`, "sh", "-c", script));
    await plant.loseAll(await labHost(`offsite2-${process.pid}`, { template: "loaded" }));

    const fromNothing = ["--host", `${plant.host.user}@${plant.host.address}`, "--recovery-key", recoveryKey, "--repository", fetched];
    const fingerprint = fingerprintOf(plant.host.hostKey);
    const began = Date.now();
    await plant.must("backup", "restore", "--to-new-host", "--from", "offsite", ...fromNothing, "--fingerprint", fingerprint, "--confirm", STACK);
    process.stderr.write(`lost host: serves again after ${Math.round((Date.now() - began) / 1000)} s\n`);
    expect(await sql("SELECT count(*) FROM ir_attachment")).toBe(before);
    expect(await plant.serving()).toMatchObject({ number: 1 });
    expect(outcomeOf(await plant.must("backup", "run"))).toMatchObject({ summary: expect.stringMatching(/offsite as well\.$/) });
  });
});
