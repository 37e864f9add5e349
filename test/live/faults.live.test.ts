import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { builderDocker } from "../lab/lab.ts";
import { eventually } from "./eventually.ts";
import { FIXTURES } from "./fixture-release.ts";
import type { Command } from "./operator.ts";
import { ENVIRONMENT, type Plant, STACK, createPlant, dataOf, errorOf } from "./plant.ts";
import { story } from "./steps.ts";

describe("when things go wrong", () => {
  let plant: Plant;
  const releases = new Map<number, string>();
  const step = story(() => plant);

  const releaseOf = async (fixture: number): Promise<string> => {
    const known = releases.get(fixture) ?? (await plant.release(fixture));
    releases.set(fixture, known);
    return known;
  };

  beforeAll(async () => {
    plant = await createPlant({ host: "faults", template: "loaded", site: { "swap.ready": "30s", "swap.cron": "10s" } });
    await plant.bootstrap();
    await plant.must("lock");
  });
  afterAll(async () => {
    await plant?.[Symbol.asyncDispose]();
  });

  describe("before there is anything to lose", () => {
    step("an unknown key in site.yaml is refused with its line and column, and nothing is asked of the host", async () => {
      const path = join(plant.directory, "site.yaml");
      const text = await readFile(path, "utf8");
      await writeFile(path, `${text}\nwrokers: 4\n`);
      const outcome = await plant.run("deploy", "--yes");
      await writeFile(path, text);
      const error = errorOf(outcome);
      expect({ code: outcome.code, error: error.code, places: /site\.yaml:\d+:\d+/.test(JSON.stringify(error)) }).toEqual({
        code: 2,
        error: "SITE_INVALID",
        places: true,
      });
    });

    step("a host that shows another key than the pinned one is not talked to", async () => {
      const path = join(plant.directory, "known_hosts");
      const text = await readFile(path, "utf8");
      const other = "AAAAC3NzaC1lZDI1NTE5AAAAIBlR8qgC3sBTVXRbJBiXTuKW0Mxzz8gBtVbaVnS6n0v5";
      await writeFile(path, text.replaceAll(/ssh-ed25519 AAAA\S+/g, `ssh-ed25519 ${other}`));
      const outcome = await plant.run("plan");
      await writeFile(path, text);
      expect({ code: outcome.code, error: errorOf(outcome).code }).toEqual({ code: 4, error: "HOST_KEY_CHANGED" });
    });

    step("a host that does not answer is exit 4 with its address", async () => {
      await plant.configure({ [`environments.${ENVIRONMENT}.host.address`]: "127.0.0.1", [`environments.${ENVIRONMENT}.host.port`]: 2299 });
      const outcome = await plant.run("plan");
      await plant.configure({ [`environments.${ENVIRONMENT}.host.address`]: plant.host.address, [`environments.${ENVIRONMENT}.host.port`]: plant.host.port });
      expect({ code: outcome.code, error: errorOf(outcome).code, names: JSON.stringify(errorOf(outcome)).includes("127.0.0.1") }).toEqual({
        code: 4,
        error: "HOST_UNREACHABLE",
        names: true,
      });
    });

    step("a key that the host does not know is refused in so many words", async () => {
      const outcome = await plant.withStrangersKey("plan");
      expect({ code: outcome.code, error: errorOf(outcome).code }).toEqual({ code: 4, error: "LOGIN_REFUSED" });
    });

    step("a port that somebody else listens on stops the deploy before it starts", async () => {
      const listen = "require('net').createServer().listen(443)";
      await plant.sh("systemd-run", "--unit=squatter", "/opt/millwright/current/node", "-e", listen);
      const outcome = await plant.run("deploy", "--yes");
      await plant.sh("systemctl", "stop", "squatter.service");
      expect({ code: outcome.code, error: errorOf(outcome).code, started: await plant.sh("docker", "ps", "--all", "--quiet") }).toEqual({
        code: 1,
        error: "PORT_TAKEN",
        started: "",
      });
    });

    step("a Docker engine that is down is named as the cause", async () => {
      await plant.sh("systemctl", "stop", "docker.socket", "docker.service");
      const outcome = await plant.run("deploy", "--yes");
      await plant.sh("systemctl", "start", "docker.socket", "docker.service");
      expect({ code: outcome.code, error: errorOf(outcome).code }).toEqual({ code: 1, error: "DOCKER_DOWN" });
    });

    step("a full disk stops the deploy before it starts", async () => {
      const free = Number(await plant.sh("sh", "-c", "df --output=avail --block-size=1 /srv | tail -1"));
      await plant.sh("fallocate", "--length", String(free - 200 * 1024 ** 2), "/srv/filler");
      const outcome = await plant.run("deploy", "--yes");
      await plant.sh("rm", "/srv/filler");
      expect({ code: outcome.code, error: errorOf(outcome).code, started: await plant.sh("docker", "ps", "--all", "--quiet") }).toEqual({
        code: 1,
        error: "NO_SPACE",
        started: "",
      });
    });

    step("an image that neither the host nor its mirror has is named, and nothing is left running", async () => {
      const drop =
        "add table inet outage; add chain inet outage out { type filter hook output priority -300; tcp dport { 80, 443, 5000 } reject with tcp reset; }";
      await plant.sh("sh", "-c", "docker rmi --force $(docker images --quiet prom/node-exporter)");
      await plant.sh("nft", drop);
      const outcome = await plant.run("deploy", "--yes");
      await plant.sh("nft", "delete table inet outage");
      const error = errorOf(outcome);
      expect({
        code: outcome.code,
        error: error.code,
        names: JSON.stringify(error).includes("node-exporter"),
        started: await plant.sh("docker", "ps", "--all", "--quiet"),
      }).toEqual({ code: 1, error: "IMAGE_MISSING", names: true, started: "" });
    });

    step("a host whose clock is an hour off is not deployed to", async () => {
      await plant.host.shiftClock(3600);
      const outcome = await plant.run("deploy", "--yes");
      await plant.host.shiftClock(0);
      expect({ code: outcome.code, error: errorOf(outcome).code }).toEqual({ code: 1, error: "CLOCK_WRONG" });
    });

    step("and after all that the plant comes up", async () => {
      await plant.must("deploy", "--yes");
      dataOf(await plant.upgrade(await releaseOf(FIXTURES.first)));
      expect((await plant.serving()).number).toBe(FIXTURES.first);
    });
  });

  describe("a disk without room", () => {
    step("stops the building of a release and an upgrade before they start", async () => {
      const release = await releaseOf(FIXTURES.good);
      const history = async (): Promise<unknown> => (await plant.must("history"))["entries"];
      const before = await history();
      const free = Number(await plant.sh("sh", "-c", "df --output=avail --block-size=1 /srv | tail -1"));
      await plant.sh("fallocate", "--length", String(free - 500 * 1024 ** 2), "/srv/filler");
      const outcomes = [await plant.build(FIXTURES.good), await plant.upgrade(release)];
      await plant.sh("rm", "/srv/filler");
      expect(outcomes.map((outcome) => ({ code: outcome.code, error: errorOf(outcome).code }))).toEqual([
        { code: 1, error: "NO_SPACE" },
        { code: 1, error: "NO_SPACE" },
      ]);
      expect(await history()).toEqual(before);
    });
  });

  describe("bad releases", () => {
    /** Upgrades to a bad release under load: how it ended, and whether a user has noticed. */
    const attempt = async (fixture: number, meanwhile?: (command: Command) => Promise<void>): Promise<Record<string, unknown>> => {
      const release = await releaseOf(fixture);
      const before = await plant.serving();
      await using load = await plant.load({ rate: 10, slowPath: "", websocket: false });
      const command = plant.startUpgrade(release);
      await meanwhile?.(command);
      const outcome = await command.done;
      const report = await load.stop();
      const error = errorOf(outcome);
      const after = await plant.serving();
      return { code: outcome.code, error: error.code, failed: report.failed, same: after.number === before.number && after.colour === before.colour };
    };

    step("a Python file with a syntax error makes no release and names the file and line", async () => {
      const before = await plant.releases();
      const outcome = await plant.build(FIXTURES.syntaxError);
      const error = errorOf(outcome);
      expect({
        code: outcome.code,
        error: error.code,
        names: /login\.py(:| .*)1/.test(JSON.stringify(error)),
        made: (await plant.releases()).length - before.length,
      }).toEqual({
        code: 1,
        error: "ADDON_SYNTAX",
        names: true,
        made: 0,
      });
    });

    step("a release that would need a module update is refused and the addon named", async () => {
      const outcome = await plant.upgrade(await releaseOf(FIXTURES.needsUpdate));
      const error = errorOf(outcome);
      expect({ code: outcome.code, error: error.code, names: JSON.stringify(error).includes("plant_portal") }).toEqual({
        code: 2,
        error: "RELEASE_NEEDS_UPDATE",
        names: true,
      });
    });

    step("a release file that was edited by hand is refused", async () => {
      const path = join(plant.directory, "releases", `${await releaseOf(FIXTURES.good)}.yaml`);
      const text = await readFile(path, "utf8");
      await writeFile(path, text.replace(/^notes: .*/m, "notes: better than it was"));
      const outcome = await plant.upgrade(await releaseOf(FIXTURES.good));
      await writeFile(path, text);
      expect({ code: outcome.code, error: errorOf(outcome).code }).toEqual({ code: 2, error: "RELEASE_EDITED" });
    });

    step("a link that is cut in mid upload leaves nothing behind, and the next push brings the rest", async () => {
      const socket = await builderDocker();
      const bytes = 48 * 1024 ** 2;
      const release = await plant.releaseWith(
        FIXTURES.good,
        (addon) => writeFile(join(addon, "static/src/ballast.bin"), randomBytes(bytes)),
        "--docker",
        socket,
      );
      const received = async (): Promise<number> => Number(await plant.sh("cat", "/sys/class/net/eth0/statistics/rx_bytes"));
      const before = await received();
      const command = plant.start("release", "push", release, "--docker", socket);
      await eventually(async () => (await received()) - before > bytes / 6, { every: 20, timeout: 120_000, what: "a part of the upload" });
      await plant.sh("nft", "add table inet outage; add chain inet outage in { type filter hook input priority -300; policy drop; }");
      const outcome = await command.done;
      await plant.sh("nft", "delete table inet outage");
      const image = await plant.imageOf(release);
      const arrived = (await plant.sh("docker", "images", "--no-trunc", "--quiet")).includes(image);
      await plant.must("release", "push", release, "--docker", socket);
      const error = errorOf(outcome);
      expect({
        code: outcome.code,
        error: error.code,
        arrived,
        again: (await plant.sh("docker", "images", "--no-trunc", "--quiet")).includes(image),
      }).toEqual({ code: 4, error: "LINK_LOST", arrived: false, again: true });
    });

    step("a login page that redirects is not taken for a good one", async () => {
      expect(await attempt(FIXTURES.redirectsLogin)).toEqual({ code: 6, error: "RELEASE_UNHEALTHY", failed: 0, same: true });
    });

    step("a release that never answers is given up after the time the site gives it", async () => {
      expect(await attempt(FIXTURES.neverAnswers)).toEqual({ code: 6, error: "RELEASE_UNHEALTHY", failed: 0, same: true });
    });

    step("a release that breaks while it is watched is taken back by itself", async () => {
      const ended = await attempt(FIXTURES.breaksLater, () => plant.breakInBake());
      // Some saw the broken page: that is what a release that breaks under people's hands means. It must have been taken back.
      expect(ended).toMatchObject({ code: 6, error: "RELEASE_UNHEALTHY", same: true });
    });
  });

  describe("a new proxy", () => {
    const override = async (lines: string): Promise<void> => {
      await mkdir(join(plant.directory, "overrides"), { recursive: true });
      await writeFile(join(plant.directory, "overrides", "edge.yaml"), `services:\n  edge:\n    ${lines}\n`);
    };
    const proxies = (): Promise<string> => plant.sh("sh", "-c", "docker ps --all --format '{{.Names}}' | grep edge; nft list tables | grep redirect || true");

    step("that cannot run is tried beside the one that serves, and nobody meets it", async () => {
      await override("mem_limit: 12m");
      await using load = await plant.load({ rate: 10, slowPath: "/plant/slow?seconds=2", websocket: false });
      const outcome = await plant.run("deploy", "--yes");
      const report = await load.stop();
      expect({
        code: outcome.code,
        error: errorOf(outcome).code,
        failed: report.failed + report.slowFailed,
        failures: report.failures,
        left: await proxies(),
      }).toEqual({
        code: 1,
        error: "SERVICE_UNHEALTHY",
        failed: 0,
        failures: [],
        left: `${STACK}-edge-1`,
      });
    });

    step("takes over without a failed request", async () => {
      await override('environment: { RENEWED: "yes" }');
      const before = await plant.sh("docker", "ps", "--quiet", "--filter", `name=${STACK}-edge`);
      await using load = await plant.load({ rate: 10, slowPath: "/plant/slow?seconds=2", websocket: false, sendsAgain: true });
      await plant.must("deploy", "--yes");
      const report = await load.stop();
      // A kept connection in each direction at most: more would be no chance.
      expect(report.sentAgain).toBeLessThanOrEqual(2);
      const after = await plant.sh("docker", "ps", "--quiet", "--filter", `name=${STACK}-edge`);
      expect({ failed: report.failed + report.slowFailed, failures: report.failures, renewed: after !== before, left: await proxies() }).toEqual({
        failed: 0,
        failures: [],
        renewed: true,
        left: `${STACK}-edge-1`,
      });
    });
  });

  // Odoo's own clean-up of wizards' tables, which goes on for as long as somebody else holds one of them.
  describe("a scheduled job that is under way", () => {
    const HELD = "LOCK TABLE base_language_export";
    const JOB = "Base: Auto-vacuum internal data";
    const sql = (database: string, ...statements: readonly string[]): Promise<string> => {
      const words = ["docker", "exec", "--user", "postgres", `${STACK}-database-1`, "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", database];
      return plant.sh(...words, ...statements.flatMap((statement) => ["-c", statement]));
    };
    /** Odoo counts a job that was cut off as failed; one that is told to end goes on to its next stop and commits. */
    const jobFailed = async (): Promise<boolean> => (await sql("odoo", `SELECT failure_count FROM ir_cron WHERE cron_name = '${JOB}'`)) !== "0";
    const wasCut = async (): Promise<boolean> => (await plant.lastRun()).events.some((event) => JSON.stringify(event).includes("Cut off"));
    /** The job runs, and will not end before `free`. */
    const holdJob = async (): Promise<{ free(): Promise<void> }> => {
      const ended = sql("odoo", "BEGIN", HELD, "SELECT pg_sleep(600)").catch(() => "");
      const holder = "FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)%' AND pid <> pg_backend_pid()";
      await eventually(async () => (await sql("odoo", `SELECT pid ${holder}`)) !== "", { what: "the lock" });
      await sql("odoo", `UPDATE ir_cron SET nextcall = (now() AT TIME ZONE 'UTC') - interval '1 minute' WHERE cron_name = '${JOB}'`);
      await sql("postgres", "NOTIFY cron_trigger, 'odoo'");
      const waits = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%base_language_export%'";
      await eventually(async () => (await sql("odoo", waits)) !== "", { timeout: 120_000, what: "the job" });
      return {
        free: async () => {
          await sql("odoo", `SELECT pg_terminate_backend(pid) ${holder}`);
          await ended;
        },
      };
    };
    const has = async (id: string, state: string): Promise<boolean> => {
      const run = await plant.lockedBy();
      return run !== undefined && (await plant.events(run)).some((event) => event.id === id && event.state === state);
    };
    const otherRelease = async (): Promise<string> => await releaseOf((await plant.serving()).number === FIXTURES.first ? FIXTURES.good : FIXTURES.first);

    step("is waited for: nobody is moved before it has ended", async () => {
      const before = await plant.serving();
      const release = await otherRelease();
      const job = await holdJob();
      const command = plant.startUpgrade(release);
      await eventually(() => has("cron-ended", "begun"), { what: "the wait for the job" });
      const meanwhile = await plant.serving();
      await job.free();
      const { code } = await command.done;
      const moved = (await plant.serving()).colour !== before.colour;
      expect({ meanwhile, code, moved, cut: await wasCut(), failed: await jobFailed() }).toEqual({
        meanwhile: before,
        code: 0,
        moved: true,
        cut: false,
        failed: false,
      });
    });

    step("and outlasts `swap.cron` ends the upgrade, which names it and does not cut it off", async () => {
      const before = await plant.serving();
      const release = await otherRelease();
      const job = await holdJob();
      const command = plant.startUpgrade(release);
      await eventually(() => has("cron-ended", "failed"), { what: "the end of patience" });
      await job.free();
      const outcome = await command.done;
      const error = errorOf(outcome);
      expect({
        code: outcome.code,
        error: error.code,
        named: JSON.stringify(error).includes(JOB),
        serving: await plant.serving(),
        crons: (await plant.coloursUp()).filter((name) => name.endsWith("/cron")),
        cut: await wasCut(),
        failed: await jobFailed(),
      }).toEqual({ code: 6, error: "JOB_RUNNING", named: true, serving: before, crons: [`${before.colour}/cron`], cut: false, failed: false });
    });
  });

  describe("people", () => {
    step("a second operator is told who holds the lock, and Ctrl-C of the first only stops the watching", async () => {
      const wanted = (await plant.serving()).number === FIXTURES.first ? FIXTURES.good : FIXTURES.first;
      const release = await releaseOf(wanted);
      const first = plant.startUpgrade(release);
      await eventually(() => plant.lockedBy(), { every: 30, what: "the lock" });
      const second = await plant.upgrade(release);
      first.process.kill("SIGINT");
      const { code } = await first.done;
      const followed = await plant.run("follow");
      expect({ second: second.code, error: errorOf(second).code, first: code, followed: followed.code, serves: (await plant.serving()).number }).toEqual({
        second: 5,
        error: "LOCK_HELD",
        first: 130,
        followed: 0,
        serves: wanted,
      });
    });

    step("abort takes a run back", async () => {
      const before = (await plant.serving()).number;
      const command = plant.startUpgrade(await releaseOf(before === FIXTURES.first ? FIXTURES.good : FIXTURES.first));
      await eventually(() => plant.lockedBy(), { every: 30, what: "the lock" });
      const abort = await plant.run("abort", "--yes");
      const ended = await command.done;
      expect({ abort: abort.code, ended: ended.code, error: errorOf(ended).code, serves: (await plant.serving()).number }).toEqual({
        abort: 0,
        ended: 6,
        error: "ABORTED",
        serves: before,
      });
    });

    step("what was changed by hand on the host shows in the plan, and deploy puts it right", async () => {
      await plant.sh(
        "sh",
        "-c",
        `echo '# by hand' >> /srv/millwright/${STACK}/platform/compose.yaml && docker stop $(docker ps --quiet --filter name=${STACK}-edge)`,
      );
      const planned = await plant.run("plan", "--exit-code");
      const drift = JSON.stringify(planned.json);
      await plant.must("deploy", "--yes");
      const again = await plant.run("plan", "--exit-code");
      expect({
        changes: planned.code,
        file: drift.includes("compose.yaml"),
        service: drift.includes("edge"),
        after: again.code,
        serves: (await plant.https("/web/login")).status,
      }).toEqual({
        changes: 3,
        file: true,
        service: true,
        after: 0,
        serves: 200,
      });
    });

    // While the engine is down its name service is too, so new connections to Odoo may fail; what counts is that all is well once it is back.
    step("a Docker engine that is down for a moment is named, and people work on as soon as it is back", async () => {
      await plant.sh("systemctl", "stop", "docker.socket", "docker.service");
      const outcome = await plant.run("plan");
      const status = (await plant.must("status")) as { readonly serving?: { readonly release?: string }; readonly concerns: readonly string[] };
      await plant.sh("systemctl", "start", "docker.socket", "docker.service");
      expect(errorOf(outcome).code).toBe("DOCKER_DOWN");
      expect({ knows: status.serving?.release !== undefined, says: status.concerns[0] }).toEqual({
        knows: true,
        says: expect.stringContaining("The Docker engine does not answer") as string,
      });
      await eventually(() => plant.serving(), { timeout: 30_000, what: "the plant after the engine came back" });
      expect((await plant.must("plan"))["plan"]).toMatchObject({ steps: [] });
    });
  });
});
