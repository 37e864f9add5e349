import { afterAll, beforeAll, describe, expect } from "vitest";
import { labHost } from "../lab/lab.ts";
import { eventually } from "./eventually.ts";
import { type Plant, STACK, createPlant, dataOf, errorOf, fingerprintOf } from "./plant.ts";
import { story } from "./steps.ts";

const BASE = `/srv/millwright/${STACK}`;
const ATTACHMENTS = 2000;

/** Odoo's own code makes them, so rows and files are as in a plant. */
const MAKE_ATTACHMENTS = `
import os
batch = [{"name": f"drawing {n}.pdf", "raw": os.urandom(2000 + n % 3000)} for n in range(${ATTACHMENTS})]
env["ir.attachment"].create(batch)
env["res.partner"].create([{"name": f"supplier {n}"} for n in range(100)])
env.cr.commit()
`;

describe("backups that are proven", () => {
  let plant: Plant;
  let first: string;
  let recoveryKey: string;
  const step = story(() => plant);

  const sql = async (query: string, database = "odoo"): Promise<string> =>
    await plant.sh("docker", "exec", "-u", "postgres", `${STACK}-database-1`, "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", query);
  const web = async (): Promise<string> => `${STACK}-${(await plant.serving()).colour}-web-1`;
  const suppliers = async (): Promise<number> => Number(await sql("SELECT count(*) FROM res_partner WHERE name LIKE 'supplier %'"));
  const attachments = async (): Promise<number> => Number(await sql("SELECT count(*) FROM ir_attachment WHERE name LIKE 'drawing %'"));
  const backups = async (): Promise<readonly { readonly id: string; readonly database: { readonly label: string } }[]> =>
    (await plant.must("backup", "list"))["backups"] as never;

  beforeAll(async () => {
    plant = await createPlant({ host: "backup", template: "loaded" });
    recoveryKey = await plant.recoveryKey();
    await plant.bootstrap();
    first = await plant.serveFirst();
    const script = `docker exec -i ${await web()} /usr/bin/odoo shell -c /etc/odoo/odoo.conf -d odoo --no-http <<'PYTHON'\n${MAKE_ATTACHMENTS}\nPYTHON`;
    await plant.sh("sh", "-c", script);
  });
  afterAll(async () => {
    await plant?.[Symbol.asyncDispose]();
  });

  step("one that is run holds the database, and the files after it, and is listed", async () => {
    const { run } = await plant.must("backup", "run");
    expect(run).toMatchObject({ outcome: "done" });
    const [made] = await backups();
    expect(made).toMatchObject({ id: (run as { run: string }).run, database: { type: "full" }, counts: { res_users: expect.any(Number) } });
    expect((made as unknown as { files: { files: number } }).files.files).toBeGreaterThanOrEqual(ATTACHMENTS);
  });

  step("the site folder lies beside it, encrypted, and does not travel again while it is the same", async () => {
    expect(await plant.must("deploy", "--yes")).toMatchObject({ changed: false, channels: 1 });
    expect(await plant.sh("head", "-n", "1", `${BASE}/backup/site.tar.gz.age`)).toBe("-----BEGIN AGE ENCRYPTED FILE-----");
  });

  step("nothing of the plant can be read in the repositories", async () => {
    const found = await plant.host.sh(["grep", "-rlaE", "drawing 1|supplier 1|ir_attachment", `${BASE}/backup`]);
    expect({ code: found.code, found: found.stdout }).toEqual({ code: 1, found: "" });
  });

  step("a drill restores it without any network, finds every attachment, logs in, measures, and leaves nothing behind", async () => {
    const { run } = await plant.must("backup", "drill");
    const { outcome, result } = run as { outcome: string; result: Record<string, number> };
    expect(outcome).toBe("done");
    expect(result["attachments"]).toBeGreaterThanOrEqual(ATTACHMENTS);
    expect(result).toMatchObject({ rpoSeconds: expect.any(Number), rtoSeconds: expect.any(Number), tooYoung: 0 });
    process.stderr.write(`drill: RPO ${result["rpoSeconds"]} s, RTO ${result["rtoSeconds"]} s, ${result["attachments"]} attachments\n`);
    expect(
      await plant.sh(
        "sh",
        "-c",
        `ls -A ${BASE}/data/recovery-postgres ${BASE}/data/recovery-filestore ${BASE}/data/recovery-host | grep -v :; docker ps -aq --filter label=com.docker.compose.project=${STACK}-recovery`,
      ),
    ).toBe("");
    const status = (await plant.must("status")) as { backup: { drill: unknown }; concerns: readonly string[] };
    expect(status.backup.drill).toMatchObject({ rpoSeconds: result["rpoSeconds"] });
    expect(status.concerns).toEqual([]);
  });

  step("a damaged file of a backup, a missing one and a hole in the log are found by name, and a good repository is good", async () => {
    dataOf(await plant.run("backup", "verify", "--all"));
    const bundle = await plant.sh("sh", "-c", `ls -S ${BASE}/backup/database/backup/main/*F/bundle/* | head -1`);
    await plant.sh("sh", "-c", `cp -a ${bundle} /root/kept && printf XXXXXXXX | dd of=${bundle} bs=1 seek=200000 conv=notrunc status=none`);
    const damaged = errorOf(await plant.run("backup", "verify"));
    await plant.sh("rm", bundle);
    const missing = errorOf(await plant.run("backup", "verify"));
    await plant.sh("cp", "-a", "/root/kept", bundle);
    expect([damaged.code, missing.code]).toEqual(["BACKUP_DAMAGED", "BACKUP_DAMAGED"]);
    expect([damaged.message, missing.message].join("\n")).toMatch(/checksum invalid[\s\S]*missing/);

    // Between the backup's own log and the newest segment.
    await sql("SELECT pg_switch_wal()");
    const segments = `${BASE}/backup/database/archive/main/18-1`;
    await eventually(async () => Number(await plant.sh("sh", "-c", `find ${segments} -name '*.zst' | wc -l`)) >= 5, { timeout: 60_000 });
    const lost = await plant.sh("sh", "-c", `find ${segments} -name '*.zst' | sort | tail -2 | head -1`);
    await plant.sh("mv", lost, "/root/segment");
    const hole = errorOf(await plant.run("backup", "verify"));
    await plant.sh("mv", "/root/segment", lost);
    expect(hole).toMatchObject({ code: "ARCHIVE_BROKEN" });
    expect(JSON.stringify(hole)).toContain("1 missing between");
    dataOf(await plant.run("backup", "verify"));
  });

  step("what was deleted by mistake is back after a restore to the minute before, rows and files, and the state before is kept", async () => {
    // The clock of the database: one past the last row of before.
    const moment = (await sql("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")).trim();
    await sql("DELETE FROM res_partner WHERE name LIKE 'supplier %'; DELETE FROM ir_attachment WHERE name LIKE 'drawing %'");
    await plant.sh("sh", "-c", `find ${BASE}/data/filestore/filestore/odoo -type f -delete`);
    await sql("SELECT pg_switch_wal()");
    expect(await suppliers()).toBe(0);

    const refused = await plant.run("backup", "restore", "--to", moment);
    expect({ code: refused.code, error: errorOf(refused).code }).toEqual({ code: 2, error: "ANSWER_MISSING" });
    const { run } = await plant.must("backup", "restore", "--to", moment, "--confirm", STACK);
    expect(run).toMatchObject({ outcome: "done" });

    expect([await suppliers(), await attachments()]).toEqual([100, ATTACHMENTS]);
    expect(await plant.serving()).toMatchObject({ number: 1 });
    expect(await plant.coloursUp()).toEqual(["blue/cron", "blue/web"]);
    const files = Number(await plant.sh("sh", "-c", `find ${BASE}/data/filestore/filestore/odoo -type f | wc -l`));
    expect(files).toBeGreaterThanOrEqual(ATTACHMENTS);
    expect(await plant.sh("ls", `${BASE}/data/restore-points`)).toBe((run as { run: string }).run);
    expect(await plant.leftovers()).toEqual([]);
  });

  step("backups go on after it, on the log's new line, and can be proven", async () => {
    dataOf(await plant.run("backup", "run"));
    dataOf(await plant.run("backup", "drill"));
    dataOf(await plant.run("backup", "verify"));
  });

  step("a point is listed, and a restore goes back to it; a release that began to serve before the first backup is out of reach, which is said", async () => {
    await plant.must("backup", "point", "before-import");
    await sql("UPDATE res_partner SET name = 'imported ' || name WHERE name LIKE 'supplier 1%'");
    expect((await plant.must("backup", "list"))["points"]).toMatchObject([{ name: "before-import" }]);
    expect(errorOf(await plant.run("backup", "point", "before-import"))).toMatchObject({ code: "POINT_EXISTS" });

    await plant.must("backup", "restore", "--to", "point:before-import", "--beside");
    const beside = ["docker", "exec", "-u", "postgres", `${STACK}-recovery-database-1`, "psql", "-qAtX", "-d", "odoo", "-c"];
    expect(await plant.sh(...beside, "SELECT count(*) FROM res_partner WHERE name LIKE 'supplier %'")).toBe("100");
    expect(await suppliers()).toBe(89);
    await sql("UPDATE res_partner SET name = substr(name, 10) WHERE name LIKE 'imported supplier %'");

    const early = errorOf(await plant.run("backup", "restore", "--to", `release:${first}`, "--dry-run"));
    expect(early).toMatchObject({ code: "BACKUP_NOT_FOUND", message: expect.stringContaining("before the end of the first backup") });
  });

  step("a moment that is later than the archive leaves the plant as it is, and says so", async () => {
    const error = errorOf(await plant.run("backup", "restore", "--to", "2099-01-01T00:00Z", "--confirm", STACK));
    expect(error).toMatchObject({ code: "BACKUP_NOT_FOUND" });
    expect(await plant.serving()).toMatchObject({ number: 1 });
  });

  step("an agent that is killed in the middle of the exchange ends with the plant as it was", async () => {
    const before = await backups();
    const command = plant.start("backup", "restore", "--to", `backup:${before[0]?.id ?? ""}`, "--confirm", STACK);
    await eventually(async () => {
      const run = await plant.lockedBy();
      return run !== undefined && (await plant.events(run)).some((event) => event.id === "exchange" && event.state === "begun");
    });
    const pid = await plant.runPid();
    await plant.sh("kill", "-9", String(pid));
    const outcome = await command.done;
    expect(outcome.code).not.toBe(0);
    expect([await suppliers(), await attachments()]).toEqual([100, ATTACHMENTS]);
    expect(await plant.serving()).toMatchObject({ number: 1 });
    expect(await plant.coloursUp()).toEqual(["blue/cron", "blue/web"]);
    dataOf(await plant.run("backup", "run"));
  });

  step("a host that is lost with every laptop comes back on a bare one, from its backups and the recovery key, by one command in an empty folder", async () => {
    dataOf(await plant.run("backup", "run"));
    const before = { suppliers: await suppliers(), attachments: await attachments() };
    await plant.loseAllButBackups(await labHost(`backup2-${process.pid}`, { template: "loaded" }));

    const fromNothing = ["--host", `${plant.host.user}@${plant.host.address}`, "--recovery-key", recoveryKey];
    const fingerprint = fingerprintOf(plant.host.hostKey);
    const began = Date.now();
    await plant.must("backup", "restore", "--to-new-host", ...fromNothing, "--fingerprint", fingerprint, "--confirm", STACK);
    process.stderr.write(`lost host: serves again after ${((Date.now() - began) / 1000).toFixed(0)} s\n`);
    expect({ suppliers: await suppliers(), attachments: await attachments() }).toEqual(before);
    expect(await plant.serving()).toMatchObject({ number: 1 });
    expect((await backups()).length).toBeGreaterThan(1);
    dataOf(await plant.run("backup", "run"));
    dataOf(await plant.run("backup", "drill"));
    expect((await plant.must("status"))["concerns"]).toEqual([]);
  });
});
