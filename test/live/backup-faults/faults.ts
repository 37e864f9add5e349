import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import { eventually } from "../eventually.ts";
import { FIXTURES } from "../fixture-release.ts";
import { STACK, dataOf } from "../plant.ts";
import type { Fault } from "./cell.ts";
import { BASE, REPOSITORY, type Scene } from "./scene.ts";

const RUN = ["backup", "run"] as const;
const DRILL = ["backup", "drill"] as const;
const RESTORE_NOW = ["backup", "restore", "--to", "now", "--confirm", STACK] as const;
const FILES = `${BASE}/data/filestore/filestore/odoo`;
/** The biggest file of the newest full backup: all that is restored is in it. */
const BUNDLE = `bundle=$(ls -S $(ls -d ${REPOSITORY}/database/backup/main/*F | tail -1)/bundle/* | head -1)`;
/** All but a little at once and the rest as it comes: the file system does not say to a byte what it has. */
const FILL = `
  fallocate -l "$(( $(stat -f -c '%a * %S' ${REPOSITORY}) - 16777216 ))" ${REPOSITORY}/ballast
  ! dd if=/dev/zero of=${REPOSITORY}/ballast bs=4K oflag=append conv=notrunc 2>/dev/null
  sync`;
/** What is left to the database, a dozen segments of its log. */
const LEFT_BYTES = 200 * 1024 ** 2;
const KILL_AGENT = `kill -9 $(systemctl show --property=MainPID --value millwright-run@${STACK}.service)`;
const SEGMENTS = `${REPOSITORY}/database/archive/main`;

export const FAULTS: readonly Fault[] = [
  // --- Something dies
  {
    name: "the database is killed while it is written to and backed up",
    isDuring: true,
    strike: async (scene) => {
      const pid = await scene.plant.sh("docker", "inspect", "--format", "{{.State.Pid}}", `${STACK}-database-1`);
      const writing = scene.writeUntilGone("in mid write");
      await whenRuns(scene, "pgbackrest", "* backup *", `kill -9 ${pid}`);
      await writing;
    },
    command: RUN,
    expect: { exit: 1, code: "BACKUP_FAILED", status: /The last backup failed/ },
  },
  {
    name: "the agent is killed in a backup",
    isDuring: true,
    strike: (scene) => whenRuns(scene, "pgbackrest", "* backup *", KILL_AGENT),
    command: RUN,
    expect: { exit: 0, says: /The backup is whole/ },
  },
  {
    name: "pgBackRest is killed in a backup",
    isDuring: true,
    strike: (scene) => whenRuns(scene, "pgbackrest", "* backup *", "kill -9 $pid"),
    command: RUN,
    expect: { exit: 1, code: "BACKUP_FAILED", says: /pgBackRest ended with 137/, status: /The last backup failed/ },
  },
  {
    name: "restic is killed in a backup",
    isDuring: true,
    strike: (scene) => whenRuns(scene, "restic", "* --json * backup *", "kill -9 $pid"),
    command: RUN,
    expect: { exit: 1, code: "BACKUP_FAILED", says: /it was killed/, status: /The last backup failed/ },
  },
  {
    name: "the agent is killed in a restore",
    isDuring: true,
    strike: (scene) => whenRuns(scene, "pgbackrest", "* restore *", KILL_AGENT),
    command: RESTORE_NOW,
    expect: { exit: 6, code: "ABORTED" },
  },
  {
    name: "pgBackRest is killed in a restore",
    isDuring: true,
    strike: (scene) => whenRuns(scene, "pgbackrest", "* restore *", "kill -9 $pid"),
    command: RESTORE_NOW,
    expect: { exit: 1, code: "RESTORE_FAILED", says: /The database could not be restored/ },
  },

  // --- The repository on the host
  {
    name: "the repository's disk fails (every access is an error)",
    strike: (scene) => root(scene, `xfs_io -x -c shutdown ${REPOSITORY}`),
    command: RUN,
    expect: { exit: 1, code: "ARCHIVE_BROKEN" },
    mend: async ({ plant }) => plant.host.reboot(),
  },
  {
    name: "the repository's disk is missing after a boot",
    strike: async (scene) => {
      await root(scene, `sed -i '/^.dev.vdb/s/^/#/' /etc/fstab`);
      await scene.plant.host.reboot();
      await eventually(() => root(scene, "docker version > /dev/null").then(() => true), { what: "the engine" });
    },
    command: RUN,
    expect: { exit: 1, code: "PLATFORM_DOWN", status: /database does not run/ },
    mend: async (scene) => {
      // What the error says to do: the plant serves without that disk.
      await scene.plant.must("deploy", "--yes");
      await scene.well();
      await scene.write("without the disk");
      await scene.sql("SELECT pg_switch_wal()");
      await allArchived(scene);
      await root(scene, `sed -i 's/^#.dev/\\/dev/' /etc/fstab`);
      await scene.plant.host.reboot();
    },
    lost: "on the host: moments from then to the next backup; the other place has them",
    afterwards: /the log before the newest backup has a hole/,
  },
  // Begun anew, it has none of the hole that the fault before leaves.
  {
    name: "the repository was emptied",
    strike: (scene) => root(scene, `rm -r ${REPOSITORY}/database/* ${REPOSITORY}/files/*`),
    command: RUN,
    expect: { exit: 0, says: /the repository holds none of the \d+ backups made before/ },
    lost: "moments before it, on the host; they are in the other place",
  },
  {
    name: "the repository is read-only",
    strike: (scene) => readOnly(scene),
    command: RUN,
    expect: { exit: 1, code: "ARCHIVE_BROKEN", says: /log does not arrive/, status: /The last backup failed/ },
    mend: (scene) => root(scene, `mount -o remount,rw ${REPOSITORY}`),
  },
  {
    name: "the repository is full",
    strike: (scene) => root(scene, FILL),
    command: RUN,
    expect: { exit: 1, code: "ARCHIVE_BROKEN", says: /log does not arrive/, status: /The last backup failed/ },
    mend: (scene) => root(scene, `rm ${REPOSITORY}/ballast`),
  },
  {
    name: "the vault gets another key than the repository's",
    strike: (scene) => setKey(scene, randomBytes(24).toString("hex")),
    command: ["deploy", "--yes"],
    expect: { exit: 1, code: "ARCHIVE_BROKEN", says: /The stack before is in place again/ },
    mend: (scene) => setKey(scene, scene.databaseKey),
  },

  // --- The repository away from the host
  {
    name: "one of two repositories is down, for five segments and two backups, and the clock an hour on",
    strike: async (scene) => {
      await scene.store.stop();
      for (let segment = 0; segment < 5; segment += 1) {
        await scene.write(`segment ${segment}`);
        await scene.sql("SELECT pg_switch_wal()");
      }
    },
    command: async (scene) => {
      dataOf(await scene.plant.run(...RUN));
      await scene.plant.host.shiftClock(3600);
      return RUN;
    },
    expect: { exit: 0, says: /but only on the host/, status: /\d+ segments of the database's log wait to be archived/ },
    mend: async (scene) => {
      await scene.plant.host.shiftClock(0);
      await scene.store.start();
      await allArchived(scene);
    },
  },
  {
    name: "one of two repositories is slow (2 Mbit/s)",
    strike: (scene) => scene.store.slow("2mbit"),
    command: [...RUN, "--full"],
    expect: { exit: 0, says: /offsite as well/ },
    mend: (scene) => scene.store.fast(),
  },
  {
    name: "one of two repositories is full",
    strike: (scene) => scene.store.fill(),
    command: RUN,
    expect: { exit: 0, says: /but only on the host/, status: /only on the host, not in the offsite repository/ },
    mend: (scene) => scene.store.makeRoom(),
  },

  // --- What is kept is damaged
  {
    name: "a page of the database is damaged",
    strike: async (scene) => {
      await scene.sql("CREATE TABLE pages AS SELECT repeat('x', 1000) FROM generate_series(1, 100)");
      await scene.sql("CHECKPOINT");
      const file = `${BASE}/data/postgres/18/docker/${await scene.sql("SELECT pg_relation_filepath('pages')")}`;
      await root(scene, `printf DAMAGED | dd of=${file} bs=1 seek=${3 * 8192 + 5000} conv=notrunc status=none`);
    },
    command: RUN,
    expect: { exit: 1, code: "BACKUP_DAMAGED", says: /The database has damaged pages/, status: /The last backup failed/ },
    mend: async (scene) => void (await scene.plant.must(...RESTORE_NOW)),
  },
  {
    name: "a file of a backup is damaged",
    strike: (scene) => root(scene, `${BUNDLE}; cp -a $bundle /root/kept; printf XXXXXXXX | dd of=$bundle bs=1 seek=200000 conv=notrunc status=none`),
    command: ["backup", "verify"],
    expect: { exit: 1, code: "BACKUP_DAMAGED", says: /checksum invalid/ },
    mend: (scene) => root(scene, `${BUNDLE}; cp -a /root/kept $bundle`),
  },
  {
    name: "a file of a backup is missing",
    strike: (scene) => root(scene, `${BUNDLE}; echo $bundle > /root/name; mv $bundle /root/kept`),
    command: DRILL,
    expect: { exit: 1, code: "RESTORE_FAILED", status: /The drill of .* did not prove the backup/ },
    mend: (scene) => root(scene, `mv /root/kept $(cat /root/name)`),
  },
  {
    name: "a segment of the log is missing",
    strike: async (scene) => {
      const count = async (): Promise<number> => Number(await scene.plant.sh("sh", "-c", `find ${SEGMENTS} -name '*.zst' | wc -l`));
      const before = await count();
      for (let segment = 0; segment < 3; segment += 1) {
        await scene.write(`around a hole ${segment}`);
        await scene.sql("SELECT pg_switch_wal()");
      }
      await eventually(async () => (await count()) >= before + 3);
      await root(scene, `lost=$(find ${SEGMENTS} -name '*.zst' | sort | tail -2 | head -1); echo $lost > /root/name; mv $lost /root/kept`);
    },
    command: DRILL,
    expect: { exit: 1, code: "ARCHIVE_BROKEN", says: /1 missing between \w+ and \w+/, status: /The drill of .* did not prove the backup/ },
    lost: "on the host: moments from there to the next backup; the other place has them",
    afterwards: /the log before the newest backup has a hole/,
    tidy: (scene) => root(scene, "mv /root/kept $(cat /root/name)"),
  },
  {
    name: "an attachment is missing",
    strike: async (scene) => {
      const name = await scene.sql("SELECT store_fname FROM ir_attachment WHERE store_fname IS NOT NULL ORDER BY id LIMIT 1");
      await root(scene, `echo ${name} > /root/name; mv ${FILES}/${name} /root/kept`);
      dataOf(await scene.plant.run(...RUN));
    },
    command: DRILL,
    expect: { exit: 1, code: "BACKUP_DAMAGED", says: /1 of \d+ attachments are not as the database has them/, status: /did not prove the backup/ },
    mend: (scene) => root(scene, `mv /root/kept ${FILES}/$(cat /root/name)`),
  },

  // --- The host
  {
    name: "the data disk is full of log that no repository takes",
    strike: async (scene) => {
      await scene.store.stop();
      await readOnly(scene);
      await root(scene, `fallocate -l $(( $(stat -f -c '%a * %S' ${BASE}/data) - ${LEFT_BYTES} )) ${BASE}/data/ballast`);
      await scene.writeUntilGone("as the disk fills", "SELECT pg_switch_wal()");
    },
    command: ["status"],
    expect: { exit: 0, status: /The disk is \d+ % full/ },
    mend: async (scene) => {
      await root(scene, `rm ${BASE}/data/ballast; mount -o remount,rw ${REPOSITORY}`);
      await scene.store.start();
    },
  },
  {
    name: "the host's clock is an hour ahead",
    strike: ({ plant }) => plant.host.shiftClock(3600),
    command: RUN,
    expect: { exit: 0 },
    mend: ({ plant }) => plant.host.shiftClock(0),
  },
  {
    name: "the host's clock is an hour behind",
    strike: ({ plant }) => plant.host.shiftClock(-3600),
    command: RUN,
    expect: { exit: 0 },
    mend: ({ plant }) => plant.host.shiftClock(0),
  },

  // --- What is asked for
  {
    name: "a restore to a moment that is yet to come",
    strike: async () => {},
    command: ["backup", "restore", "--to", "2099-01-01T00:00Z", "--confirm", STACK],
    expect: { exit: 2, code: "BACKUP_NOT_FOUND", says: /is yet to come/ },
  },
  {
    name: "a restore of a dead database to a moment after its last archived log",
    strike: async ({ plant }) => void (await plant.sh("docker", "stop", `${STACK}-database-1`)),
    command: async ({ plant }) => ["backup", "restore", "--to", await plant.sh("date", "-u", "+%FT%T.%3NZ"), "--confirm", STACK],
    expect: { exit: 1, code: "RESTORE_FAILED", says: /The archived log ends before that moment: its last transaction is of/ },
    mend: async ({ plant }) => void (await plant.sh("docker", "start", `${STACK}-database-1`)),
  },
  {
    name: "a drill is begun while a swap runs",
    strike: async (scene) => {
      scene.underWay = scene.plant.upgrade(scene.other);
      await eventually(() => scene.plant.lockedBy(), { every: 20 });
    },
    command: DRILL,
    expect: { exit: 5, code: "LOCK_HELD" },
    mend: async ({ plant, underWay }) => {
      dataOf((await underWay) ?? expect.fail("no swap was begun"));
      expect((await plant.serving()).number).toBe(FIXTURES.good);
    },
  },
];

async function root({ plant }: Scene, script: string): Promise<void> {
  await plant.sh("sh", "-ec", script);
}

/** Waits until a program runs whose words are such, and does something to it: its process is `$pid`. */
async function whenRuns(scene: Scene, program: string, words: string, then: string): Promise<void> {
  const look = `
    while :; do
      for process in /proc/[0-9]*; do
        read -r name 2> /dev/null < $process/comm || continue
        [ "$name" = ${program} ] || continue
        case "$(tr '\\0' ' ' < $process/cmdline 2> /dev/null)" in
          ${words.replaceAll(" ", "\\ ")}) pid=\${process#/proc/}; ${then}; exit 0 ;;
        esac
      done
      sleep 0.02
    done`;
  await scene.plant.sh("timeout", "120", "sh", "-c", look);
}

/** Refused while a file of it is open to be written. */
async function readOnly({ plant }: Scene): Promise<void> {
  await eventually(async () => (await plant.host.sh(["mount", "-o", "remount,ro", REPOSITORY])).code === 0, { what: "a moment when nothing is written" });
}

async function setKey({ plant }: Scene, key: string): Promise<void> {
  dataOf(await plant.runWith(key, "secrets", "set", "backup_database_key", "--yes"));
}

/** Every repository has the log up to now. */
async function allArchived(scene: Scene): Promise<void> {
  const waiting = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'";
  await eventually(async () => (await scene.sql(waiting)) === "0", { timeout: 180_000, what: "the log to be archived" });
}
