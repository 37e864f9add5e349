import { afterAll, beforeAll, describe, expect } from "vitest";
import { type LabHost, labHost } from "../lab/lab.ts";
import { type LabStore, labStore } from "../lab/stores.ts";
import { eventually } from "./eventually.ts";
import { get } from "./front-door.ts";
import { DOMAIN, ENVIRONMENT, type Plant, STACK, createPlant, dataOf, errorOf, fingerprintOf } from "./plant.ts";
import { story } from "./steps.ts";

/** On two practice hosts and a store, MILLWRIGHT_STORES=1: building the store's programs takes minutes. */
const ASKED = (process.env["MILLWRIGHT_STORES"] ?? "") !== "";
const FILESTORE = `/srv/millwright/${STACK}/data/filestore/filestore/odoo`;

/** A row each time, until somebody ends it. */
const WRITER = `while psql -qX -d odoo -c 'INSERT INTO standby_mark DEFAULT VALUES'; do sleep 0.02; done`;

interface Follows {
  readonly now?: { readonly isStreaming: boolean; readonly lagSeconds?: number; readonly filesAt?: string };
}

describe.skipIf(!ASKED)("a standby", () => {
  let plant: Plant;
  let second: LabHost;
  let store: LabStore<"sftp">;
  const step = story(() => plant);

  const on = async (host: LabHost, ...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await host.sh(words);
    if (code !== 0) throw new Error(`${words.join(" ")} on ${host.name}: exit ${code}: ${stderr || stdout}`);
    return stdout.trim();
  };
  const sql = async (host: LabHost, query: string): Promise<string> =>
    await on(host, "docker", "exec", "-u", "postgres", `${STACK}-database-1`, "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", "odoo", "-c", query);
  const concerns = async (...words: string[]): Promise<readonly string[]> => (await plant.must("status", ...words))["concerns"] as readonly string[];
  /** Without Odoo's notes of what it may remove: it takes them away, and what is taken away on a host stays on its standby. */
  const files = async (host: LabHost): Promise<string> =>
    await on(host, "sh", "-c", `cd ${FILESTORE} && find . -path ./checklist -prune -o -type f -print | sort | xargs sha1sum`);
  const marks = async (host: LabHost): Promise<string> => await sql(host, "SELECT count(*) FROM standby_mark");
  const mark = async (host: LabHost): Promise<void> => void (await sql(host, "INSERT INTO standby_mark DEFAULT VALUES"));

  /** When the front door of a host first answers so. */
  const until = async (host: LabHost, isSo: (page: { readonly status: number }) => boolean): Promise<number> =>
    await eventually(
      async () => {
        const page = await get({ address: host.address, domain: DOMAIN }, "/plant/version").catch(() => ({ status: 0 }));
        return isSo(page) ? Date.now() : undefined;
      },
      { timeout: 240_000, what: `another answer of ${host.name}` },
    );

  beforeAll(async () => {
    plant = await createPlant({ host: "first", template: "loaded" });
    second = await labHost(`second-${process.pid}`, { template: "loaded" });
    store = await labStore({ kind: "sftp" });
    const { address, port, user, path, privateKey, hostKeys } = store.reach;
    await plant.configure({
      "backup.offsite": { kind: "sftp", server: `${address}:${port}`, user, path: `${path}/plant`, hostKeys },
      [`environments.${ENVIRONMENT}.standby.address`]: second.address,
    });
    dataOf(await plant.runWith(privateKey, "secrets", "set", "backup_sftp_key"));
    await plant.recoveryKey();
    await plant.bootstrap();
    await plant.serveFirst();
    await plant.must("backup", "run");
    await sql(plant.host, "CREATE TABLE standby_mark (at timestamptz DEFAULT now())");
  });
  afterAll(async () => {
    await store?.[Symbol.asyncDispose]();
    await second?.destroy();
    await plant?.[Symbol.asyncDispose]();
  });

  step("that was stated and is not there yet is a concern of the host's", async () => {
    expect((await concerns()).join("\n")).toContain(`The standby ${second.address} does not follow`);
  });

  step("is made by the same commands, and then streams what the host writes and has its files", async () => {
    await plant.must("host", "trust", "--standby", "--fingerprint", fingerprintOf(second.hostKey));
    await plant.must("host", "bootstrap", "--standby", "--yes");
    await plant.must("deploy", "--yes");
    const began = Date.now();
    await plant.must("deploy", "--standby", "--yes");
    process.stderr.write(`standby: deployed after ${Math.round((Date.now() - began) / 1000)} s\n`);
    await eventually(async () => (await concerns("--standby")).length === 0, { timeout: 180_000, what: "the standby to follow" });
    await mark(plant.host);
    await eventually(async () => (await marks(second)) === (await marks(plant.host)), { timeout: 10_000, what: "a row to come over" });
    expect((await plant.must("status", "--standby"))["follows"] as Follows).toMatchObject({ now: { isStreaming: true } });
    expect((await plant.must("status"))["standby"]).toMatchObject({ host: second.address, now: { isStreaming: true } });
    await eventually(async () => (await files(second)) === (await files(plant.host)), { timeout: 120_000, what: "the files to come over" });
    expect(await on(second, "docker", "ps", "--format", "{{.Names}}")).toBe(`${STACK}-database-1\n${STACK}-backup-1`);
  });

  step("is let in to the database by its address alone, and by TLS alone", async () => {
    const connect = (sslmode: string): string[] => [
      "docker", "exec", "-u", "postgres", `${STACK}-database-1`,
      "psql", `host=${plant.host.address} user=replication passfile=/run/secrets/replication-pgpass sslmode=${sslmode} replication=true connect_timeout=5`, "-qAtX", "-c", "IDENTIFY_SYSTEM",
    ]; // prettier-ignore
    expect((await second.sh(connect("require"))).code).toBe(0);
    expect((await second.sh(connect("disable"))).stderr).toContain("no pg_hba.conf entry");
    const stranger = await store.host.sh(["python3", "-c", `import socket; socket.create_connection(("${plant.host.address}", 5432), 3)`]);
    expect(stranger.code).not.toBe(0);
  });

  step("serves nothing, and says so to who asks it to", async () => {
    expect(errorOf(await plant.run("deploy", "--rebuild", "--yes"))).toMatchObject({ code: "STANDBY_ROLE" });
    expect((await plant.must("deploy", "--standby", "--yes"))["changed"]).toBe(false);
  });

  step("that was away catches up from the offsite repository, with all that the host has thrown away meanwhile", async () => {
    await second.powerCut();
    await sql(plant.host, "CREATE TABLE ballast AS SELECT repeat(md5(i::text), 20) AS word FROM generate_series(1, 300000) AS i");
    for (let pass = 0; pass < 4; pass += 1) await sql(plant.host, "SELECT pg_switch_wal(); CHECKPOINT");
    await mark(plant.host);
    expect((await concerns()).join("\n")).toContain("does not follow");
    await second.powerOn();
    await eventually(async () => (await marks(second).catch(() => "")) === (await marks(plant.host)), { timeout: 180_000, what: "the standby to catch up" });
    await eventually(async () => (await concerns("--standby")).length === 0 && !(await concerns()).join().includes("standby"), {
      timeout: 120_000,
      what: "nothing to be left to say",
    });
  });

  step("is not needed when a host was fenced too early: that takes its plant again, as nobody else has it", async () => {
    await plant.must("host", "fence", "--confirm", STACK);
    expect(await on(plant.host, "docker", "ps", "--format", "{{.Names}}")).toBe("");
    expect(errorOf(await plant.run("deploy", "--yes"))).toMatchObject({ code: "STANDBY_ROLE" });
    await plant.must("host", "fence", "--lift", "--confirm", STACK);
    expect(await plant.serving()).toMatchObject({ number: 1 });
    await eventually(async () => !(await concerns()).join().includes("standby"), { timeout: 60_000, what: "the standby to follow again" });
  });

  step("takes over by one command, and loses nothing when the host can still be fenced; the host then stays down", async () => {
    const first = plant.host;
    await plant.must("release", "push", (await plant.releases()).at(-1) ?? "", "--standby");
    await mark(first);
    const before = await marks(first);
    // A file of the last second, as Odoo writes them.
    const late = `${FILESTORE}/zz`;
    await on(first, "sh", "-c", `mkdir -p ${late} && echo late > ${late}/late && chown -R --reference=${FILESTORE} ${late}`);
    expect(errorOf(await plant.run("failover"))).toMatchObject({ code: "ANSWER_MISSING", hint: expect.stringContaining(`--confirm ${STACK}`) });
    const failover = plant.start("failover", "--confirm", STACK);
    const gone = await until(first, (page) => page.status !== 200);
    const back = await until(second, (page) => page.status === 200);
    process.stderr.write(`planned failover: nobody was served for ${Math.round((back - gone) / 1000)} s\n`);
    dataOf(await failover.done);
    plant.movedTo(second);
    expect(await marks(second)).toBe(before);
    expect(await on(second, "cat", `${late}/late`)).toBe("late");
    expect(await plant.serving()).toMatchObject({ number: 1 });
    await first.reboot();
    await eventually(async () => await on(first, "systemctl", "is-active", "docker"), { what: "the engine of the host" });
    expect(await on(first, "docker", "ps", "--format", "{{.Names}}")).toBe("");
    second = first;
  });

  step("is what the host before becomes, made anew", async () => {
    expect(errorOf(await plant.run("deploy", "--standby", "--yes"))).toMatchObject({ code: "STANDBY_ROLE", hint: expect.stringContaining("--rebuild") });
    await plant.must("deploy", "--standby", "--rebuild", "--yes");
    await eventually(async () => (await concerns("--standby")).length === 0, { timeout: 180_000, what: "the standby to follow" });
    await mark(plant.host);
    await eventually(async () => (await marks(second)) === (await marks(plant.host)), { timeout: 10_000, what: "a row to come over" });
  });

  step("leaves backups that are whole, on the new host and in the offsite repository, where two lines of the log are by now", async () => {
    dataOf(await plant.run("backup", "verify"));
    dataOf(await plant.run("backup", "verify", "--from", "offsite"));
    dataOf(await plant.run("backup", "drill", "--from", "offsite"));
    expect(await concerns()).toEqual(["No backup was proven yet: run `millwright backup drill`."]);
  });

  step("takes over from a host that is dead once somebody has seen that it is off, and that does not serve when it comes back", async () => {
    const dead = plant.host;
    // Rows as fast as they are written, until there is no power.
    const writing = on(dead, "docker", "exec", "-u", "postgres", `${STACK}-database-1`, "sh", "-c", WRITER).catch(() => "");
    await eventually(async () => Number(await marks(dead)) > 100, { what: "rows to be written" });
    await dead.powerCut();
    const cut = Date.now();
    await writing;
    expect(errorOf(await plant.run("failover", "--confirm", STACK))).toMatchObject({
      code: "ANSWER_MISSING",
      hint: expect.stringContaining(`--powered-off ${dead.address}`),
    });
    const began = Date.now();
    const failover = plant.start("failover", "--confirm", STACK, "--powered-off", dead.address);
    const back = await until(second, (page) => page.status === 200);
    process.stderr.write(`failover from a dead host: served ${Math.round((back - began) / 1000)} s after the command\n`);
    dataOf(await failover.done);
    plant.movedTo(second);
    second = dead;
    const lost = cut - Number(await sql(plant.host, "SELECT round(extract(epoch FROM max(at)) * 1000) FROM standby_mark"));
    process.stderr.write(`failover from a dead host: the last ${lost} ms were lost\n`);
    expect(lost).toBeLessThan(5000);
    expect(await plant.serving()).toMatchObject({ number: 1 });

    await dead.powerOn();
    await eventually(
      async () => (await on(dead, "sh", "-c", `docker logs --tail 5 ${STACK}-database-1 2>&1`)).includes("Another host has taken this plant over"),
      {
        timeout: 180_000,
        what: "the database of the dead host to refuse",
      },
    );
    await plant.must("host", "fence", "--standby", "--confirm", STACK);
    expect(errorOf(await plant.run("host", "fence", "--standby", "--lift", "--confirm", STACK))).toMatchObject({ code: "SERVICE_UNHEALTHY" });
    expect(await on(dead, "docker", "ps", "--format", "{{.Names}}")).toBe("");
    await plant.must("deploy", "--standby", "--rebuild", "--yes");
    await eventually(async () => (await concerns("--standby")).length === 0, { timeout: 180_000, what: "the standby to follow" });
  });

  step("does not take over from a host that has more than it: that takes its plant again", async () => {
    await sql(second, "SELECT pg_wal_replay_pause()");
    await mark(plant.host);
    const failed = errorOf(await plant.run("failover", "--confirm", STACK));
    expect(failed).toMatchObject({ code: "STANDBY_BEHIND", hint: expect.stringContaining("millwright host fence --lift") });
    await plant.must("host", "fence", "--lift", "--confirm", STACK);
    expect(await plant.serving()).toMatchObject({ number: 1 });
    await sql(second, "SELECT pg_wal_replay_resume()");
    await eventually(async () => (await marks(second)) === (await marks(plant.host)), { timeout: 60_000, what: "a row to come over" });
  });
});
