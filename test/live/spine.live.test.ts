import { X509Certificate } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import * as z from "zod";
import { shownCertificate } from "../../src/deploy/shown-certificate.ts";
import { builderDocker } from "../lab/lab.ts";
import { eventually } from "./eventually.ts";
import { FIXTURES } from "./fixture-release.ts";
import { get } from "./front-door.ts";
import { ENVIRONMENT, type Plant, STACK, createPlant, dataOf, errorOf } from "./plant.ts";
import { story } from "./steps.ts";

/** What a deploy tells of itself. */
const deployData = z.object({ channels: z.number(), changed: z.boolean() });

/** Prometheus on an instant. */
const answerSchema = z.object({
  data: z.object({ result: z.array(z.object({ metric: z.object({ job: z.string() }), value: z.tuple([z.number(), z.string()]) })) }),
});

const pushData = z.object({ layers: z.number(), sentBytes: z.number() });

describe("the way from an empty folder to a swapped release", () => {
  let plant: Plant;
  const releases = new Map<number, string>();
  const release = (fixture: number): string => releases.get(fixture) ?? "";
  const step = story(() => plant);

  beforeAll(async () => {
    plant = await createPlant({ host: "spine", template: "loaded" });
  });
  afterAll(async () => {
    await plant?.[Symbol.asyncDispose]();
  });

  step("bootstrap makes the host ready and says what it changed", async () => {
    const data = await plant.bootstrap();
    expect(data["changed"]).not.toEqual([]);
  });

  step("a second bootstrap changes nothing and says so", async () => {
    const data = await plant.bootstrap();
    expect(data["changed"]).toEqual([]);
  });

  step("host check finds nothing to change after bootstrap", async () => {
    expect((await plant.run("host", "check")).code).toBe(0);
  });

  step("the deploy account's key opens no shell", async () => {
    const { code, stdout } = await plant.ssh("deploy", "id");
    expect({ code: code === 0, leaks: stdout.includes("uid=") }).toEqual({ code: false, leaks: false });
  });

  step("lock pins every image of the stack by digest", async () => {
    await plant.must("lock");
    const text = await readFile(join(plant.directory, "images.lock.yaml"), "utf8");
    expect(text.match(/sha256:[0-9a-f]{64}/g)?.length).toBeGreaterThan(2);
  });

  step("check accepts the site folder once its images are pinned", async () => {
    expect((await plant.run("check")).code).toBe(0);
  });

  step("render gives the same bytes twice", async () => {
    await plant.must("render", "--out", join(plant.scratch, "render"));
    expect((await plant.run("render", "--out", join(plant.scratch, "render"), "--check")).code).toBe(0);
  });

  step("deploy brings up a platform whose services are all healthy", async () => {
    await plant.must("deploy", "--yes");
    const unhealthy = await plant.sh("docker", "ps", "--all", "--filter", "health=unhealthy", "--filter", "status=exited", "--format", "{{.Names}}");
    expect(unhealthy).toBe("");
  });

  step("the host has put pgBackRest into the database's image, where PostgreSQL's own user finds it", async () => {
    expect(await plant.sh("docker", "exec", "--user", "postgres", `${plant.stack}-database-1`, "pgbackrest", "version")).toMatch(/^pgBackRest 2\.\d+/);
  });

  step("a second deploy has nothing to do and opens at most three SSH channels", async () => {
    const before = await plant.sh("docker", "ps", "--no-trunc", "--quiet");
    const data = deployData.parse(await plant.must("deploy", "--yes"));
    const untouched = (await plant.sh("docker", "ps", "--no-trunc", "--quiet")) === before;
    expect({ changed: data.changed, few: data.channels <= 3, untouched }).toEqual({ changed: false, few: true, untouched: true });
  });

  step("plan --exit-code says by its status that nothing would change", async () => {
    expect((await plant.run("plan", "--exit-code")).code).toBe(0);
  });

  step("release build makes an immutable release of the addons", async () => {
    releases.set(FIXTURES.first, await plant.release(FIXTURES.first));
    expect(release(FIXTURES.first)).toMatch(/^\d{4}-\d{2}-\d{2}-1$/);
  });

  step("the first upgrade makes the database and serves", async () => {
    dataOf(await plant.upgrade(release(FIXTURES.first)));
    expect((await plant.serving()).number).toBe(1);
  });

  step("the front door shows the login page with a certificate that the plant's own authority signed", async () => {
    const page = await get({ ...plant.door, authority: await plant.authority() }, "/web/login");
    expect({ status: page.status, form: page.body.includes('name="login"'), colour: page.colour }).toEqual({ status: 200, form: true, colour: "blue" });
  });

  step("the pages of Odoo's database manager are closed at the front door", async () => {
    expect((await plant.https("/web/database/manager")).status).not.toBe(200);
  });

  step("nothing but the edge can be reached from outside", async () => {
    const listening = await plant.sh("docker", "ps", "--format", "{{.Names}} {{.Ports}}");
    const published = listening.split("\n").filter((line) => line.includes("->"));
    expect(published.every((line) => line.includes("edge"))).toBe(true);
  });

  /** Id and time of start of a platform service's container: the same while it is neither renewed nor restarted. */
  const standing = (service: string): Promise<string> => plant.sh("docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", `${STACK}-${service}-1`);
  const sql = (query: string): Promise<string> => plant.sh("docker", "exec", "--user", "postgres", `${STACK}-database-1`, "psql", "-XqAtc", query);
  const plannedSteps = async (): Promise<readonly string[]> => (await plant.lastRun()).steps.map(({ id }) => id);

  step("a new certificate is served by the same proxy, under load without one failed request", async () => {
    const chain = join(plant.directory, "certificates", "production.pem");
    const [before, proxy, reach] = [
      await readFile(chain, "utf8"),
      await standing("edge"),
      { address: plant.door.address, port: 443, domain: plant.door.domain },
    ];
    expect(await shownCertificate(reach)).toBe(new X509Certificate(before).fingerprint256);
    // One is issued anew when it is lost.
    await rm(chain);
    await using load = await plant.load();
    await plant.must("deploy", "--yes");
    const report = await load.stop();
    const after = await readFile(chain, "utf8");
    expect({
      failed: report.failed + report.slowFailed,
      failures: report.failures,
      steps: await plannedSteps(),
      proxy: await standing("edge"),
      isNew: after !== before,
      shown: await shownCertificate(reach),
    }).toEqual({
      failed: 0,
      failures: [],
      steps: ["keep", "files", "certificate", "certificate-served", "record", "tidy"],
      proxy,
      isNew: true,
      shown: new X509Certificate(after).fingerprint256,
    });
    expect((await get({ ...plant.door, authority: await plant.authority() }, "/web/login")).status).toBe(200);
  });

  step("the key of the certificate can be read by the proxy's user alone", async () => {
    const keys = await plant.sh("sh", "-c", `stat --format '%a %u' /srv/millwright/${STACK}/traffic/tls/*-key.pem | sort -u`);
    expect(keys).toBe("400 65532");
  });

  step("PostgreSQL's settings are split by what it takes only at a start", async () => {
    const contexts = (file: string): string =>
      `SELECT string_agg(name, ' ' ORDER BY name) FROM pg_file_settings JOIN pg_settings USING (name) WHERE pg_file_settings.sourcefile = '/etc/postgresql/${file}'`;
    expect(await sql(`${contexts("settings/reload.conf")} AND context IN ('postmaster', 'internal')`)).toBe("");
    // What archives the log goes with the files that the container mounts.
    expect(await sql(`${contexts("postgresql.conf")} AND context <> 'postmaster'`)).toBe("archive_command");
  });

  step("settings that PostgreSQL takes while it runs reach it by a reload: the same container, under load without one failed request", async () => {
    const [database, wanted] = [await standing("database"), await sql("SHOW work_mem")];
    // Somebody has tried another value on the host.
    const file = `/srv/millwright/${STACK}/settings/database/reload.conf`;
    await plant.sh("sed", "-i", "s/^work_mem = .*/work_mem = 9MB/", file);
    await sql("SELECT pg_reload_conf()");
    await eventually(async () => expect(await sql("SHOW work_mem")).toBe("9MB"), { timeout: 5000, what: "the value of hands" });
    await using load = await plant.load();
    await plant.must("deploy", "--yes");
    const report = await load.stop();
    expect({
      failed: report.failed + report.slowFailed,
      failures: report.failures,
      steps: await plannedSteps(),
      database: await standing("database"),
      work: await sql("SHOW work_mem"),
    }).toEqual({ failed: 0, failures: [], steps: ["keep", "settings", "record", "tidy"], database, work: wanted });
  });

  step("a release built on the operator's own Docker reaches the host with only the layers it lacks, without a registry", async () => {
    const socket = await builderDocker();
    releases.set(FIXTURES.good, await plant.release(FIXTURES.good, "--docker", socket));
    const { layers, sentBytes } = pushData.parse(await plant.must("release", "push", release(FIXTURES.good), "--docker", socket));
    expect({ few: layers <= 2, small: sentBytes < 100_000 }).toEqual({ few: true, small: true });
  });

  step("the same release pushed again sends nothing", async () => {
    const { layers, sentBytes } = pushData.parse(await plant.must("release", "push", release(FIXTURES.good), "--docker", await builderDocker()));
    expect({ layers, sentBytes }).toEqual({ layers: 0, sentBytes: 0 });
  });

  step("the same addons built on the host are the very image that the operator's own Docker has built", async () => {
    const onHost = await plant.release(FIXTURES.good);
    expect(await plant.imageOf(onHost)).toBe(await plant.imageOf(release(FIXTURES.good)));
  });

  step("a good release is swapped in under load without one failed request", async () => {
    await using load = await plant.load();
    const outcome = await plant.upgrade(release(FIXTURES.good));
    const report = await load.stop();
    expect({ code: outcome.code, failed: report.failed, slowFailed: report.slowFailed, failures: report.failures, serves: await plant.serving() }).toEqual({
      code: 0,
      failed: 0,
      slowFailed: 0,
      failures: [],
      serves: { number: 2, colour: "green" },
    });
  });

  step("the same release again is nothing to do", async () => {
    const outcome = await plant.upgrade(release(FIXTURES.good));
    expect({ code: outcome.code, serves: await plant.serving() }).toEqual({ code: 0, serves: { number: 2, colour: "green" } });
  });

  step("a release that starts and is broken is taken back by itself, and no user has seen it", async () => {
    releases.set(FIXTURES.brokenLogin, await plant.release(FIXTURES.brokenLogin));
    await using load = await plant.load();
    const outcome = await plant.upgrade(release(FIXTURES.brokenLogin));
    const report = await load.stop();
    expect({ code: outcome.code, error: errorOf(outcome).code, failed: report.failed, failures: report.failures, serves: await plant.serving() }).toEqual({
      code: 6,
      error: "RELEASE_UNHEALTHY",
      failed: 0,
      failures: [],
      serves: { number: 2, colour: "green" },
    });
  });

  step("the bad colour is gone and the lock is free after that", async () => {
    expect({ up: (await plant.coloursUp()).filter((name) => name.startsWith("blue")), lock: await plant.lockedBy() }).toEqual({ up: [], lock: undefined });
  });

  step("rollback brings the release before back under load without one failed request, and websockets leave little by little", async () => {
    await using load = await plant.load({ held: 60 });
    const outcome = await plant.run("rollback", "--yes");
    const report = await load.stop();
    const lost = report.heldLostAt;
    const together = Math.max(0, ...lost.map((from) => lost.filter((time) => time >= from && time < from + 1000).length));
    expect({
      code: outcome.code,
      failed: report.failed,
      failures: report.failures,
      serves: await plant.serving(),
      lost: lost.length,
      spread: together <= 30,
    }).toEqual({ code: 0, failed: 0, failures: [], serves: { number: 1, colour: "blue" }, lost: 60, spread: true });
  });

  step("status names the release that serves, since when and by whom, in at most two SSH channels", async () => {
    const data = await plant.must("status");
    expect(data).toMatchObject({ serving: { release: release(FIXTURES.first) } });
    expect(deployData.pick({ channels: true }).parse(data).channels).toBeLessThanOrEqual(2);
  });

  step("Prometheus reaches everything that it asks, and the login page by the front door", async () => {
    const network = `{{(index .NetworkSettings.Networks "${STACK}_metrics").IPAddress}}`;
    const address = await plant.sh("docker", "inspect", "--format", network, `${STACK}-prometheus-1`);
    const byJob = async (query: string): Promise<Readonly<Record<string, string>>> => {
      const answer = answerSchema.parse(JSON.parse(await plant.sh("curl", "--silent", "--fail", `http://${address}:9090/api/v1/query?query=${query}`)));
      return Object.fromEntries(answer.data.result.map(({ metric, value }) => [metric.job, value[1]]));
    };
    expect(await byJob("up")).toEqual({ blackbox: "1", edge: "1", node: "1", postgres: "1", prometheus: "1", site: "1" });
    expect(await byJob("probe_success")).toEqual({ site: "1" });
  });

  step("report writes one page of the rollback, which needs nothing beside it", async () => {
    const { file } = z.object({ file: z.string() }).parse(await plant.must("report"));
    const page = await readFile(file, "utf8");
    expect(page).toContain(`to ${release(FIXTURES.first)} (blue)`);
    expect(page).not.toMatch(/https?:\/\//);
  });

  step("history verify finds the journal whole, with the head that the host's metrics tell", async () => {
    const { head } = z.object({ head: z.string() }).parse(await plant.must("history", "verify"));
    const metrics = await plant.sh("cat", `/srv/millwright/${STACK}/data/agent-metrics/millwright.prom`);
    expect(metrics).toContain(`millwright_journal_head_info{head="${head}"} 1`);
  });

  step("history verify names the entry that somebody has changed on the host", async () => {
    const journal = `/srv/millwright/${STACK}/state/journal.jsonl`;
    await plant.sh("cp", "-p", journal, `${journal}.kept`);
    await plant.sh("sed", "-i", '5s/"who":"/"who":"not /', journal);
    const outcome = await plant.run("history", "verify");
    await plant.sh("mv", `${journal}.kept`, journal);
    expect({ code: outcome.code, error: errorOf(outcome).code, message: errorOf(outcome).message }).toEqual({
      code: 7,
      error: "JOURNAL_BROKEN",
      message: expect.stringContaining("Entry 5 of the journal was changed") as string,
    });
  });

  step("history tells every run with its end", async () => {
    const { stdout } = await plant.plain("history");
    expect({ undone: stdout.includes("undone"), done: stdout.includes("done") }).toEqual({ undone: true, done: true });
  });

  step("logs shows what Odoo has written", async () => {
    const { code, stdout } = await plant.plain("logs", "web");
    expect({ code, lines: /INFO \S+ odoo/.test(stdout) }).toEqual({ code: 0, lines: true });
  });

  step("more workers: the plan names the settings that only a restart brings and those that a reload does, and Odoo follows by a swap", async () => {
    await plant.configure({ "sizing.workers": 3, [`environments.${ENVIRONMENT}.host.memory`]: "6GiB" });
    const { plan } = z.object({ plan: z.object({ steps: z.array(z.object({ id: z.string(), cause: z.string() })) }) }).parse(await plant.must("plan"));
    const causes = Object.fromEntries(plan.steps.map(({ id, cause }) => [id, cause]));
    expect(causes["up:database"]).toMatch(/database\/postgresql\.conf changed \(max_connections.*: only a restart brings them\)/);
    expect(causes["settings"]).toMatch(/work_mem.* changed: a reload is enough/);
    await plant.must("deploy", "--yes");
    expect(await plant.serving()).toEqual({ number: 1, colour: "green" });
    // Proxy, database and Odoo run with what the plan was made from: nothing is left to do.
    expect((await plant.run("plan", "--exit-code")).code).toBe(0);
  });

  step("after a reboot of the host the plant serves again by itself", async () => {
    await plant.host.reboot();
    const serving = await eventually(() => plant.serving(), { timeout: 90_000, what: "the plant after a reboot" });
    expect(serving.number).toBe(1);
  });
});
