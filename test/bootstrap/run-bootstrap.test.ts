import * as fc from "../properties.ts";
import { describe, expect, it } from "vitest";
import { confirmGuard } from "../../src/bootstrap/guard.ts";
import { type BootstrapOutcome, runBootstrap } from "../../src/bootstrap/run-bootstrap.ts";
import { silentEvents } from "../../src/kernel/events.ts";
import type { Environment } from "../../src/site/environment.ts";
import { FakeHost, PowerCut } from "./fake-host.ts";
import { wanted } from "./fixtures.ts";

function run(host: FakeHost, mode: "plan" | "apply", site: Partial<Environment> = {}): Promise<BootstrapOutcome> {
  return runBootstrap({ wanted: wanted(site), operatorNow: host.now, system: host.system, mode, events: silentEvents });
}

async function finish(host: FakeHost, site: Partial<Environment> = {}): Promise<BootstrapOutcome> {
  const outcome = await run(host, "apply", site);
  if (outcome.guard !== null) await confirmGuard(host.system, outcome.guard);
  return outcome;
}

const NARROW = { firewall: { ssh: ["192.0.2.0/24"], web: [] } };

describe("runBootstrap", () => {
  it("plans without changing anything", async () => {
    const host = new FakeHost();
    expect((await run(host, "plan")).changes.length).toBeGreaterThan(30);
    expect(host.log).toEqual([]);
  });

  it("makes exactly the changes that it planned", async () => {
    const host = new FakeHost();
    const planned = await run(host, "plan");
    const made = await finish(host);
    // The engine is started by its own installation, and the restart is planned for the case that it was there.
    const started = (title: string): boolean => !/(enable|start) docker\.service/.test(title);
    expect(made.changes.map(({ title }) => title).filter(started)).toEqual(planned.changes.map(({ title }) => title).filter(started));
  });

  it("changes nothing the second time, and says so", async () => {
    const host = new FakeHost();
    await finish(host);
    const count = host.log.length;
    const second = await finish(host);
    expect([second.changes, second.guard]).toEqual([[], null]);
    expect(host.log.length).toBe(count);
  });

  it("finishes what a power cut at any effect has left, with one identity, and is then done", async () => {
    const whole = new FakeHost();
    await finish(whole);
    const effects = whole.log.length;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(effects), { minLength: 1, maxLength: 3 }), async (cuts) => {
        const host = new FakeHost();
        for (const cut of cuts) {
          host.power = cut;
          await finish(host).catch((error: unknown) => {
            if (!(error instanceof PowerCut)) throw error;
          });
          const key = host.files.get("/etc/millwright/age.key")?.content;
          host.boot();
          if (key !== undefined) expect(host.files.get("/etc/millwright/age.key")?.content).toBe(key);
        }
        await finish(host);
        expect(host.loaded).toEqual(whole.loaded);
        expect((await run(host, "plan")).changes).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it("restarts Docker when a run was cut off between its settings and the restart", async () => {
    const host = new FakeHost();
    await finish(host);
    const site = { docker: { source: "distribution", mirrors: ["http://192.0.2.1:5000"], pool: "10.201.0.0/16" } } as const;
    // The drafts' and the mark's effects come first; the cut comes right after the file is in place.
    const written = (): boolean => host.files.get("/etc/docker/daemon.json")?.content.includes("192.0.2.1") ?? false;
    for (let power = 1; !written(); power++) {
      host.power = power;
      await run(host, "apply", site).catch(() => {});
    }
    host.power = Number.POSITIVE_INFINITY;
    expect(host.loaded.daemon).not.toContain("192.0.2.1");
    expect((await finish(host, site)).changes.map(({ title }) => title)).toEqual([expect.stringContaining("restart the Docker engine")]);
    expect(host.loaded.daemon).toContain("192.0.2.1");
  });

  it("puts sshd and firewall changes under a guard, and nothing else", async () => {
    const host = new FakeHost();
    await finish(host);
    host.sysctl.set("vm.swappiness", "60");
    expect((await finish(host)).guard).toBeNull();
    expect((await run(host, "apply", NARROW)).guard).toMatch(/^[0-9a-f]{12}$/);
  });

  it("has the old firewall back after a guard that nobody confirmed", async () => {
    const host = new FakeHost();
    await finish(host);
    const proven = { ...host.loaded };
    await run(host, "apply", NARROW);
    expect(host.loaded.firewall).not.toBe(proven.firewall);
    host.boot();
    expect(host.loaded).toEqual(proven);
  });

  it("tells that a change waits for its confirmation, and takes it back before it applies anything more", async () => {
    const host = new FakeHost();
    await finish(host);
    await run(host, "apply", NARROW);
    expect((await run(host, "plan", NARROW)).unconfirmed).toBe(true);
    const again = await run(host, "apply", NARROW);
    expect(again.changes.map(({ group }) => group)).toContain("firewall");
  });

  it("refuses a confirmation that comes after the rollback", async () => {
    const host = new FakeHost();
    await finish(host);
    const { guard } = await run(host, "apply", NARROW);
    host.rollBack();
    await expect(confirmGuard(host.system, guard ?? "")).rejects.toMatchObject({ code: "LOGIN_NOT_PROVEN" });
  });

  it("takes sshd and firewall back at once when a later change fails", async () => {
    const host = new FakeHost();
    await finish(host);
    const proven = { ...host.loaded };
    host.files.set("/etc/ssh/sshd_config.d/00-millwright.conf", { kind: "directory", mode: 0o755, uid: 0, gid: 0, content: "" });
    await expect(run(host, "apply", NARROW)).rejects.toMatchObject({ code: "BOOTSTRAP_FAILED" });
    expect(host.loaded.firewall).toBe(proven.firewall);
  });

  it("shows rights of the deploy account that it did not give, and does not call such a host done", async () => {
    const host = new FakeHost();
    await finish(host);
    host.extraRights = "    (ALL) NOPASSWD: /usr/bin/docker\n";
    expect((await run(host, "plan")).changes.map(({ title }) => title)).toEqual([expect.stringContaining("/usr/bin/docker")]);
    await expect(finish(host)).rejects.toMatchObject({ code: "BOOTSTRAP_FAILED" });
  });

  it("puts back what was changed by hand", async () => {
    const host = new FakeHost();
    await finish(host);
    host.groups.set("docker", new Set(["deploy"]));
    host.loaded.firewall = "";
    host.enabled.delete("docker.service");
    const titles = (await finish(host)).changes.map(({ title }) => title);
    expect(titles).toEqual(["take deploy out of the group docker", "enable docker.service", "load the firewall's rules"]);
  });

  it("lets only one bootstrap at a time change the host", async () => {
    const host = new FakeHost();
    await using _held = await host.system.exclusive("millwright-bootstrap");
    await expect(run(host, "apply")).rejects.toMatchObject({ code: "LOCK_HELD" });
  });
});
