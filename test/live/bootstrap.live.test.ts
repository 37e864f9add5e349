import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BootstrapResult, bootstrapHost, checkHost, type HostOptions } from "../../src/bootstrap/bootstrap-host.ts";
import type { Change } from "../../src/bootstrap/resource.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { type MillwrightEvent, silentEvents } from "../../src/kernel/events.ts";
import { connectHost } from "../../src/remote/connect.ts";
import type { Connection } from "../../src/remote/connection.ts";
import { parseKnownHosts } from "../../src/remote/known-hosts.ts";
import type { Environment } from "../../src/site/environment.ts";
import { environment } from "../bootstrap/fixtures.ts";
import { type LabHost, labHost } from "../lab/lab.ts";
import { eventually } from "./eventually.ts";
import { REPOSITORY } from "./operator.ts";

const GUARD_SECONDS = 20;
const run = promisify(execFile);

describe("bootstrap of a bare VM", { timeout: 300_000 }, () => {
  let host: LabHost;
  let scratch: string;

  beforeAll(async () => {
    await run(process.execPath, ["bin/build-agent.js"], { cwd: REPOSITORY });
    // A copy: a build that runs meanwhile must not look like drift of the host.
    scratch = await mkdtemp(join(tmpdir(), "millwright-live-"));
    await copyFile(join(REPOSITORY, "dist/agent.mjs"), join(scratch, "agent.mjs"));
    host = await labHost("boot", { template: "bare", disk: "2G" });
  });
  afterAll(async () => {
    await host?.destroy();
    await rm(scratch, { recursive: true, force: true });
  });

  const connect = (user: string): Promise<Connection> =>
    connectHost(
      { address: host.address, port: host.port, user },
      {
        identityFiles: [host.identityFile],
        agentSocket: undefined,
        knownHosts: parseKnownHosts(`${host.address} ${host.hostKey}\n`, "known_hosts"),
        readyMilliseconds: 3000,
      },
    );

  async function optionsFor(site: Partial<Environment>, events: HostOptions["events"]): Promise<Omit<HostOptions, "connection">> {
    const common = environment();
    return {
      environment: {
        ...common,
        dataDisk: "/dev/vdb",
        ...site,
        host: { ...common.host, address: host.address, port: host.port, admin: host.user, ...site.host },
      },
      deployKeys: [{ name: "alice", key: (await readFile(`${host.identityFile}.pub`, "utf8")).trim() }],
      agentFile: join(scratch, "agent.mjs"),
      events,
      clock: systemClock,
    };
  }

  async function bootstrap(site: Partial<Environment> = {}, events: HostOptions["events"] = silentEvents): Promise<BootstrapResult> {
    await using connection = await connect(host.user);
    const options = await optionsFor(site, events);
    return await bootstrapHost({ ...options, connection, openNewConnection: connect, confirm: async () => true, guardSeconds: GUARD_SECONDS });
  }

  async function check(site: Partial<Environment> = {}): Promise<readonly Change[]> {
    await using connection = await connect(host.user);
    return await checkHost({ ...(await optionsFor(site, silentEvents)), connection });
  }

  async function sh(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await host.sh(words);
    if (code !== 0) throw new Error(`${words.join(" ")}: ${code}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  /** True when a new connection to a port of the host is answered. */
  async function answers(port: number): Promise<boolean> {
    return await fetch(`http://${host.address}:${port}/`, { signal: AbortSignal.timeout(2000) }).then(
      (response) => response.ok,
      () => false,
    );
  }

  it("is finished by the next run when the agent is killed in its midst, several times", async () => {
    for (const after of ["install chrony", "age identity", "install docker.io", "firewall.nft"]) {
      const kill = (event: MillwrightEvent): void => {
        if (event.kind === "step" && event.state === "begun" && event.title.includes(after)) {
          void host.sh(["sh", "-c", "sleep 0.3; kill -9 $(pgrep -f 'agent.mjs bootstrap apply')"]);
        }
      };
      await bootstrap({}, { emit: kill }).catch(() => {});
      await eventually(async () => (await host.sh(["pgrep", "-f", "agent.mjs bootstrap apply"])).code === 1, { what: "the end of the killed agent" });
    }
    await bootstrap();
    expect(await check()).toEqual([]);
  });

  it("changes nothing the second time", async () => {
    const marks = (): Promise<string> =>
      sh(
        "sh",
        "-c",
        "find /etc /opt/millwright /srv /var/lib/millwright -newer /etc/millwright/host.yaml -printf '%p %T@ %C@\\n' | sort; systemctl show -p ActiveEnterTimestamp docker ssh millwright-firewall",
      );
    const before = await marks();
    expect((await bootstrap()).changed).toEqual([]);
    expect(await marks()).toBe(before);
  });

  it("leaves Docker hardened and the data disk on XFS with reflink", async () => {
    expect(await sh("docker", "info", "--format", "{{.LiveRestoreEnabled}} {{.LoggingDriver}} {{.ServerVersion}}")).toMatch(/^true local \d/);
    expect(await sh("docker", "compose", "version")).toMatch(/version/);
    expect(await sh("findmnt", "-n", "-o", "FSTYPE,SOURCE", "/srv/millwright")).toMatch(/^xfs +\/dev\/vdb$/);
    expect(await sh("xfs_info", "/srv/millwright")).toContain("reflink=1");
  });

  it("closes sshd to root, and gives the deploy key the agent and no shell", async () => {
    await expect(connect("root")).rejects.toMatchObject({ code: "LOGIN_REFUSED" });
    await using deploy = await connect("deploy");
    const { stdout } = await deploy.exec("id; cat /etc/shadow");
    expect(stdout).not.toMatch(/uid=|root:/);
    await expect(deploy.forward("127.0.0.1", 22)).rejects.toThrow();
    expect(await sh("id", "-Gn", "deploy")).toBe("deploy ssh-deploy");
  });

  it("lets through Docker's published ports 80 and 443 only, whatever address they are published on", async () => {
    const serve = "for (const port of [8080, 8069]) require('node:http').createServer((_, answer) => answer.end('up')).listen(port)";
    await sh("sh", "-c", "cd / && tar -c opt/millwright lib lib64 usr/lib usr/lib64 | docker import - runtime");
    await sh("docker", "network", "create", "shop");
    try {
      await sh(
        "docker",
        "run",
        "-d",
        "--name",
        "shop",
        "--network",
        "shop",
        "-p",
        "0.0.0.0:80:8080",
        "-p",
        "0.0.0.0:8069:8069",
        "-p",
        "9000:8069",
        "runtime",
        "/opt/millwright/current/node",
        "-e",
        serve,
      );
      await eventually(() => answers(80), { what: "an answer on port 80" });
      expect([await answers(8069), await answers(9000)]).toEqual([false, false]);
    } finally {
      await host.sh(["docker", "rm", "-f", "shop"]);
      await host.sh(["docker", "network", "rm", "shop"]);
      await host.sh(["docker", "rmi", "runtime"]);
    }
  });

  it("takes back over the open connection a firewall that shuts the operator out", async () => {
    const rules = await sh("cat", "/etc/millwright/firewall.nft");
    await expect(bootstrap({ firewall: { ssh: ["192.0.2.0/24"], web: [] } })).rejects.toMatchObject({
      code: "LOGIN_NOT_PROVEN",
      message: expect.stringContaining("taken back") as string,
    });
    expect(await sh("cat", "/etc/millwright/firewall.nft")).toBe(rules);
    expect(await check()).toEqual([]);
  });

  it("takes it back by itself when the operator is gone before the proof", async () => {
    await using connection = await connect(host.user);
    const gone = new Error("the laptop's lid was shut");
    const options = await optionsFor({ firewall: { ssh: ["192.0.2.0/24"], web: [] } }, silentEvents);
    const shut = async (): Promise<never> => {
      await connection[Symbol.asyncDispose]();
      throw gone;
    };
    await expect(
      bootstrapHost({ ...options, connection, openNewConnection: shut, confirm: async () => true, guardSeconds: GUARD_SECONDS }),
    ).rejects.toMatchObject({
      code: "LOGIN_NOT_PROVEN",
    });
    await expect(connect(host.user)).rejects.toMatchObject({ code: "HOST_UNREACHABLE" });
    await eventually(async () => (await check()).length === 0, { what: "the old firewall", timeout: (GUARD_SECONDS + 20) * 1000 });
  });

  it("shows drift, and puts right what it may", async () => {
    await sh("sh", "-c", "usermod -aG docker deploy; nft delete table inet millwright; echo '{}' > /etc/docker/daemon.json");
    expect((await check()).map(({ title }) => title)).toEqual([
      "take deploy out of the group docker",
      "change /etc/docker/daemon.json",
      "restart the Docker engine; running containers go on (live restore)",
      "load the firewall's rules",
    ]);
    await bootstrap();
    expect(await check()).toEqual([]);
  });
});
