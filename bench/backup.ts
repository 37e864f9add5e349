import { setTimeout as wait } from "node:timers/promises";
import { createPlant, dataOf, ENVIRONMENT, type Plant } from "../test/live/plant.ts";
import { median, type Row, show, timed } from "./bench.ts";

/** Scale of pgbench: about 15 MB each. */
const SCALE = 330;
const ATTACHMENTS = 50_000;
const CONTAINER = "plant-production-database-1";
const DATA = "/srv/millwright/plant-production/data";

interface Ended {
  readonly result: { readonly steps: readonly { readonly id: string; readonly began: string; readonly ended: string }[]; readonly [key: string]: unknown };
}

/** A plant with 5 GB of rows and 50 000 attachments on a disk of its own: what backups cost, and what each kind of loss costs. */
export async function benchBackup(runs: number): Promise<readonly Row[]> {
  await using plant = await createPlant({
    host: "backup",
    template: "loaded",
    disk: "60G",
    memory: "8G",
    site: { [`environments.${ENVIRONMENT}.dataDisk`]: "/dev/vdb", [`environments.${ENVIRONMENT}.host.memory`]: "8GiB" },
  });
  await plant.bootstrap();
  await plant.serveFirst();
  say("filling the plant …");
  const archiving = await archivingCost(plant, runs);
  await attach(plant);
  const bytes = Number(await sql(plant, "SELECT pg_database_size('odoo')"));
  const files = Number(await plant.sh("sh", "-c", `du -sb ${DATA}/filestore | cut -f1`));

  say("backing up …");
  const backup = await run(plant, "backup", "run", "--full");
  const copied = await copying(plant, "postgres");
  const based = await baseBackup(plant);
  const copiedFiles = await copying(plant, "filestore");
  say("drilling …");
  const drill = await run(plant, "backup", "drill");
  say("crash, wrong delete, lost disk …");
  const crash = await until(plant, async () => void (await plant.sh("sh", "-c", `kill -9 $(docker inspect --format '{{.State.Pid}}' ${CONTAINER})`)));
  const moment = (await sql(plant, `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`)).trim();
  await wait(1100);
  await sql(plant, "TRUNCATE pgbench_history, pgbench_accounts");
  const deleted = await run(plant, "backup", "restore", "--to", moment, "--confirm", plant.stack);
  await plant.sh("sh", "-c", `docker kill ${CONTAINER} && rm -rf ${DATA}/postgres ${DATA}/filestore && rm -rf ${DATA}/restore-points/*`);
  const lost = await run(plant, "backup", "restore", "--to", "now", "--confirm", plant.stack);

  const speed = (size: number, took: number): string => `${show(took, "s", 1)}, ${show(size / 1e6 / took, "MB/s")}`;
  const database = `${(bytes / 1e9).toFixed(1)} GB of database`;
  const filestore = `${ATTACHMENTS} attachments, ${(files / 1e9).toFixed(2)} GB`;
  return [
    {
      what: "transactions a second of pgbench while the log is archived",
      ours: show(archiving.on, "tps"),
      baseline: show(archiving.off, "tps"),
      against: "the same with an `archive_command` that does nothing",
    },
    {
      what: `full backup, ${database}, encrypted and compressed`,
      ours: speed(bytes, seconds(backup, "database")),
      baseline: speed(bytes, based),
      against: "`pg_basebackup` to the same disk",
    },
    { what: "", ours: "", baseline: speed(bytes, copied), against: "`cp -a` of the data folder without shared blocks, and sync" },
    {
      what: `snapshot of the files, ${filestore}`,
      ours: speed(files, seconds(backup, "files")),
      baseline: speed(files, copiedFiles),
      against: "`cp -a` without shared blocks, and sync",
    },
    {
      what: `drill: restore of the database`,
      ours: speed(bytes, seconds(drill, "restore-database")),
      baseline: speed(bytes, copied),
      against: "`cp -a` of the data folder without shared blocks, and sync",
    },
    {
      what: "drill: restore of the files",
      ours: speed(files, seconds(drill, "restore-files")),
      baseline: speed(files, copiedFiles),
      against: "`cp -a` without shared blocks, and sync",
    },
    { what: "drill: every page and index", ours: show(seconds(drill, "check-database"), "s", 1), baseline: "", against: "" },
    {
      what: `drill: every attachment's SHA-1 (${String(drill.result["attachments"])})`,
      ours: show(seconds(drill, "check-files"), "s", 1),
      baseline: "",
      against: "",
    },
    { what: "drill: RPO, RTO", ours: `${String(drill.result["rpoSeconds"])} s, ${String(drill.result["rtoSeconds"])} s`, baseline: "", against: "" },
    {
      what: "database killed: until the login page is good again",
      ours: show(crash, "s", 1),
      baseline: "",
      against: "nothing is lost: it recovers from its own log",
    },
    { what: "wrong delete, `restore --to` the second before: whole run", ours: show(total(deleted), "s"), baseline: "", against: "" },
    { what: "of it, users get the maintenance answer for", ours: show(between(deleted, "away", "lead-back"), "s", 1), baseline: "", against: "" },
    {
      what: "disk of the data lost, `restore --to now`: until users are led back",
      ours: show(between(lost, "clear", "lead-back"), "s"),
      baseline: "",
      against: "",
    },
    {
      what: "of that: work lost (RPO)",
      ours: show(Number(lost.result["rpoSeconds"]), "s"),
      baseline: "",
      against: "from the newest sign of life to the end of the log",
    },
  ];
}

async function run(plant: Plant, ...words: readonly string[]): Promise<Ended> {
  return dataOf(await plant.run(...words))["run"] as Ended;
}

function seconds({ result }: Ended, step: string): number {
  const found = result.steps.find(({ id }) => id === step);
  return found === undefined ? Number.NaN : (Date.parse(found.ended) - Date.parse(found.began)) / 1000;
}

function between({ result }: Ended, from: string, to: string): number {
  const [first, last] = [from, to].map((step) => result.steps.find(({ id }) => id === step));
  return first === undefined || last === undefined ? Number.NaN : (Date.parse(last.ended) - Date.parse(first.began)) / 1000;
}

function total({ result }: Ended): number {
  return (Math.max(...result.steps.map(({ ended }) => Date.parse(ended))) - Math.min(...result.steps.map(({ began }) => Date.parse(began)))) / 1000;
}

async function sql(plant: Plant, query: string): Promise<string> {
  return await plant.sh("docker", "exec", "-u", "postgres", CONTAINER, "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", "odoo", "-c", query);
}

/** Turn about, so that what else the machine does meets both. */
async function archivingCost(plant: Plant, runs: number): Promise<{ readonly on: number; readonly off: number }> {
  await plant.sh("docker", "exec", "-u", "postgres", CONTAINER, "pgbench", "-q", "-i", "-s", String(SCALE), "odoo");
  const tps = async (command: string | undefined): Promise<number> => {
    await sql(plant, command === undefined ? "ALTER SYSTEM RESET archive_command" : `ALTER SYSTEM SET archive_command = '${command}'`);
    await sql(plant, "SELECT pg_reload_conf()");
    const output = await plant.sh("docker", "exec", "-u", "postgres", CONTAINER, "pgbench", "-c", "4", "-j", "1", "-T", "20", "odoo");
    return Number(/tps = ([\d.]+)/.exec(output)?.[1]);
  };
  const [on, off]: [number[], number[]] = [[], []];
  for (let index = 0; index < runs; index += 1) {
    on.push(await tps(undefined));
    off.push(await tps("/bin/true"));
  }
  await sql(plant, "ALTER SYSTEM RESET archive_command");
  await sql(plant, "SELECT pg_reload_conf()");
  return { on: median(on), off: median(off) };
}

async function attach(plant: Plant): Promise<void> {
  const script = `
import os
for batch in range(${ATTACHMENTS / 1000}):
    env["ir.attachment"].create([{"name": f"{batch}-{n}", "raw": os.urandom(4000 + n * 12)} for n in range(1000)])
    env.cr.commit()
`;
  await plant.sh(
    "sh",
    "-c",
    `docker exec -i plant-production-blue-web-1 /usr/bin/odoo shell -c /etc/odoo/odoo.conf -d odoo --no-http <<'PYTHON'\n${script}\nPYTHON`,
  );
}

async function copying(plant: Plant, folder: string): Promise<number> {
  const took = await timed(() => plant.sh("sh", "-c", `cp -a --reflink=never ${DATA}/${folder} ${DATA}/copy && sync`));
  await plant.sh("rm", "-r", `${DATA}/copy`);
  return took;
}

/** Seconds of a pg_basebackup. The stack's own rules let nobody replicate, so the server has others meanwhile. */
async function baseBackup(plant: Plant): Promise<number> {
  const inside = (script: string): Promise<string> => plant.sh("docker", "exec", "-u", "postgres", CONTAINER, "sh", "-c", script);
  await inside("printf 'local all all trust\\nlocal replication all trust\\nhost all all samenet scram-sha-256\\n' > /var/lib/postgresql/hba.conf");
  await sql(plant, "ALTER SYSTEM SET hba_file = '/var/lib/postgresql/hba.conf'");
  await until(plant, async () => void (await plant.sh("docker", "restart", CONTAINER)));
  const taken = await timed(() => inside("pg_basebackup --checkpoint=fast -D /var/lib/postgresql/base && sync"));
  await inside("rm -r /var/lib/postgresql/base");
  await sql(plant, "ALTER SYSTEM RESET hba_file");
  await until(plant, async () => void (await plant.sh("docker", "restart", CONTAINER)));
  return taken;
}

/** Seconds from a deed until the login page is good. */
async function until(plant: Plant, deed: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await deed();
  for (;;) {
    const page = await plant.https("/web/login").catch(() => undefined);
    if (page?.status === 200) return (performance.now() - began) / 1000;
    await wait(100);
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
