import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LabStore, labStore } from "../../lab/stores.ts";
import { eventually } from "../eventually.ts";
import { FIXTURES } from "../fixture-release.ts";
import type { Outcome } from "../operator.ts";
import { type Plant, STACK, createPlant, dataOf } from "../plant.ts";

export const BASE = `/srv/millwright/${STACK}`;
/** Where the backups lie, a disk of its own as docs/backup.md advises: what is done to it leaves the plant's data alone. */
export const REPOSITORY = `${BASE}/backup`;
const DATABASE = `${STACK}-database-1`;

/** What people's work is here: a row that was acknowledged may not be lost. */
const WRITE = `INSERT INTO written (mark) VALUES`;

/** A plant with its backups on a disk of their own and in an offsite store, and what was written to it so far. */
export class Scene implements AsyncDisposable {
  readonly plant: Plant;
  readonly store: LabStore<"s3">;
  /** A release that another can be swapped to. */
  readonly other: string;
  readonly databaseKey: string;
  /** What a fault has begun and its mending waits for. */
  underWay: Promise<Outcome> | undefined;
  readonly #acknowledged: string[] = [];

  private constructor(parts: Pick<Scene, "plant" | "store" | "other" | "databaseKey">) {
    this.plant = parts.plant;
    this.store = parts.store;
    this.other = parts.other;
    this.databaseKey = parts.databaseKey;
  }

  static async make(): Promise<Scene> {
    const [plant, store] = await Promise.all([createPlant({ host: "bfaults", template: "loaded", disk: "2G" }), labStore({ kind: "s3" })]);
    const disk = `mkfs.xfs -q /dev/vdb; mkdir -p ${REPOSITORY}; echo '/dev/vdb ${REPOSITORY} xfs defaults 0 0' >> /etc/fstab`;
    await plant.sh("sh", "-ec", `${disk}; systemctl daemon-reload; mount ${REPOSITORY}`);
    const { endpoint, bucket, region, client, authority } = store.reach;
    await writeFile(join(plant.directory, "certificates/store.pem"), authority);
    await plant.configure({
      "backup.offsite": { kind: "s3", endpoint: new URL(endpoint).host, bucket, region, path: "/plant", ca: "certificates/store.pem" },
    });
    dataOf(await plant.runWith(client.key, "secrets", "set", "backup_s3_key"));
    dataOf(await plant.runWith(client.secret, "secrets", "set", "backup_s3_secret"));
    await plant.bootstrap();
    await plant.serveFirst();
    const other = await plant.release(FIXTURES.good);
    const databaseKey = String((await plant.must("secrets", "show", "backup_database_key"))["value"]);
    const scene = new Scene({ plant, store, other, databaseKey });
    await scene.sql("CREATE TABLE written (mark text PRIMARY KEY)");
    await plant.must("backup", "run");
    return scene;
  }

  async sql(query: string): Promise<string> {
    return await this.plant.sh("docker", "exec", "-u", "postgres", DATABASE, "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", "odoo", "-c", query);
  }

  async write(mark: string): Promise<void> {
    await this.sql(`${WRITE} ('${mark.replaceAll("'", "''")}')`);
    this.#acknowledged.push(mark);
  }

  /** Writes until the database is gone, each row once that before it was acknowledged, and after each something more. */
  async writeUntilGone(mark: string, more = "SELECT"): Promise<void> {
    const loop = `n=0; while psql -qAtX -d odoo -c "${WRITE} ('${mark} $n')" -c "${more}" > /dev/null; do echo "${mark} $n"; n=$((n + 1)); done 2> /dev/null`;
    const { stdout } = await this.plant.host.sh(["docker", "exec", "-u", "postgres", DATABASE, "sh", "-c", loop]);
    this.#acknowledged.push(...stdout.split("\n").filter((line) => line.startsWith(mark)));
  }

  /** Rows that were acknowledged and are not in a database any more. */
  async lost(container = DATABASE): Promise<readonly string[]> {
    const said = await this.plant.sh(
      "docker",
      "exec",
      "-u",
      "postgres",
      container,
      "psql",
      "-qAtX",
      "-U",
      "postgres",
      "-d",
      "odoo",
      "-c",
      "SELECT mark FROM written",
    );
    const there = new Set(said.split("\n"));
    return this.#acknowledged.filter((mark) => !there.has(mark));
  }

  /** Ids of the backups that are listed. */
  async backups(): Promise<readonly string[]> {
    return ((await this.plant.must("backup", "list"))["backups"] as readonly { readonly id: string }[]).map(({ id }) => id);
  }

  async concerns(): Promise<string> {
    return ((await this.plant.must("status"))["concerns"] as readonly string[]).join("\n");
  }

  /** Runs of the lock have ended, the database takes writes, the login page answers. */
  async well(): Promise<void> {
    await eventually(async () => (await this.plant.lockedBy()) === undefined, { what: "the end of the run", timeout: 180_000 });
    await eventually(async () => (await this.sql("SELECT NOT pg_is_in_recovery()")) === "t", { what: "the database", timeout: 180_000 });
    await eventually(async () => (await this.plant.https("/web/login")).status === 200, { what: "the login page", timeout: 180_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    await this.plant[Symbol.asyncDispose]();
  }
}
