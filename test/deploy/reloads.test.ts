import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Stack } from "../../src/blueprint/stack.ts";
import type { Plan } from "../../src/kernel/plan.ts";
import { Secret } from "../../src/kernel/secret.ts";
import { issueLeaf, type Leaf, makeAuthority } from "../../src/secrets/own-ca.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { fixtureStack, image, STACK, type StackParts } from "./fixture-stack.ts";
import { Cut, Host, MemoryJournal } from "./host.ts";

const ids = (plan: Plan): string[] => plan.steps.map((step) => step.id);
const causeOf = (plan: Plan, id: string): string | undefined => plan.steps.find((step) => step.id === id)?.cause;

/** Renders with a certificate of its own and PostgreSQL's settings in their folder. */
function stackOf(leaf: Leaf | undefined, settings: Readonly<Record<string, string>> = {}, change: (parts: StackParts) => void = () => {}): Stack {
  return fixtureStack((made) => {
    if (leaf !== undefined) {
      const certificate = { certFile: "/etc/traefik/traffic/tls/chain.pem", keyFile: "/etc/traefik/traffic/tls/key.pem" };
      made.files["edge/certificate.json"] = JSON.stringify({ tls: { stores: { default: { defaultCertificate: certificate } } } });
      made.files["edge/tls/chain.pem"] = leaf.chain;
      made.secretFiles["edge/tls/key.pem"] = "<<secret tls_key>>";
      made.facts.secrets = ["db_superuser", "db_odoo", "db_monitor", "tls_key"];
    }
    const volumes = made.services["database"]?.["volumes"] as unknown[];
    volumes.push({ type: "bind", source: "../database/settings", target: "/etc/postgresql/settings", read_only: true });
    made.files["database/settings/reload.conf"] = settings["reload.conf"] ?? "work_mem = 4MB\njit = off\n";
    made.files["database/settings/pg_hba.conf"] = settings["pg_hba.conf"] ?? "local all postgres peer\n";
    change(made);
  });
}

let [first, second]: [Leaf?, Leaf?] = [];
beforeAll(async () => {
  const clock = new FakeClock();
  const authority = await makeAuthority({ company: "Acme", domains: ["acme.example"], clock });
  const issue = (domain = "erp.acme.example"): Promise<Leaf> => issueLeaf({ authority, domain, clock });
  [first, second] = [await issue(), await issue()];
});

/** A host on which a stack with the first certificate was deployed. */
async function deployed(): Promise<Host> {
  const host = await Host.make();
  useKey(host, first);
  expect((await host.deploy(stackOf(first))).error).toBeUndefined();
  host.docker.calls.length = 0;
  return host;
}

function useKey(host: Host, leaf: Leaf | undefined): void {
  host.secrets = { ...host.secrets, tls_key: leaf?.key ?? new Secret("none") };
}

async function prepare(host: Host, stack: Stack): Promise<Plan> {
  host.offer(stack);
  return (await host.prepare(stack)).plan;
}

describe("a new certificate", () => {
  it("is none of a standby, which has no proxy to serve it, and one that a host had before it became that goes away", async () => {
    const follower = stackOf(first, {}, ({ facts, services }) => {
      Object.assign(facts, { follows: "192.0.2.1", roles: [], services: ["exporter", "database"] });
      delete services["edge"];
    });
    const host = await deployed();
    host.offer(follower);
    const { plan } = await host.prepare(follower, { rebuild: true });
    expect(ids(plan).filter((id) => id.startsWith("certificate"))).toEqual(["certificate"]);
    expect((await host.run(plan)).outcome).toBe("done");
    await expect(readFile(host.paths.certificate, "utf8")).rejects.toThrow("ENOENT");
    expect((await host.prepare(follower)).drift).toEqual([]);
  });

  it("is read by the proxy that serves: no container is touched, and a handshake has shown it", async () => {
    const host = await deployed();
    useKey(host, second);
    const plan = await prepare(host, stackOf(second));
    expect(ids(plan)).toEqual(["keep", "files", "certificate", "certificate-served", "record", "tidy"]);
    expect(causeOf(plan, "certificate")).toBe("edge/tls/chain.pem and edge/tls/key.pem changed: a reload is enough");
    expect((await host.run(plan)).error).toBeUndefined();
    expect(host.docker.calls).toEqual([]);
    expect(await prepare(host, stackOf(second))).toMatchObject({ steps: [] });
    expect(JSON.stringify(plan)).not.toContain("PRIVATE KEY");
  });

  it("has a key that only the proxy's user reads, and the one before is gone a deploy later", async () => {
    const host = await deployed();
    useKey(host, second);
    await host.deploy(stackOf(second));
    const keys = async (): Promise<string[]> => (await readdir(host.paths.certificates)).filter((name) => name.endsWith("-key.pem"));
    expect(await keys()).toHaveLength(2);
    await host.deploy(stackOf(second, {}, ({ files }) => void (files["exporter/b.yaml"] = "b: 2\n")));
    const [name = ""] = await keys();
    expect(await keys()).toHaveLength(1);
    expect((await stat(join(host.paths.certificates, name))).mode & 0o777).toBe(0o400);
    expect(await readFile(join(host.paths.certificates, name), "utf8")).toBe(second?.key.reveal());
  });

  it("that the proxy does not take is taken back", async () => {
    const host = await deployed();
    const before = await readFile(host.paths.certificate, "utf8");
    useKey(host, second);
    const plan = await prepare(host, stackOf(second));
    await host.deps.shownCertificate({ domain: "", listen: "" });
    host.isProxyDeaf = true;
    expect(await host.run(plan)).toMatchObject({ outcome: "undone", error: { code: "CERTIFICATE_NOT_SERVED", subject: "erp.acme.example" } });
    expect(await readFile(host.paths.certificate, "utf8")).toBe(before);
    useKey(host, first);
    expect(await host.prepare(stackOf(first))).toMatchObject({ plan: { steps: [] }, drift: [] });
  });

  it("that does not fit its key never reaches the proxy", async () => {
    const host = await deployed();
    const before = await readFile(host.paths.certificate, "utf8");
    const plan = await prepare(host, stackOf(second));
    expect(await host.run(plan)).toMatchObject({ outcome: "undone", error: { code: "CERTIFICATE_INVALID" } });
    expect(await readFile(host.paths.certificate, "utf8")).toBe(before);
  });

  it("is there before a proxy starts that is renewed anyway, and proven after it", async () => {
    const host = await deployed();
    useKey(host, second);
    const plan = await prepare(
      host,
      stackOf(second, {}, ({ files }) => void (files["edge/traefik.yaml"] = "log: { level: DEBUG }\n")),
    );
    expect(ids(plan)).toEqual(["keep", "files", "certificate", "up:edge", "certificate-served", "record", "tidy"]);
    expect(causeOf(plan, "up:edge")).toBe("edge/traefik.yaml changed (the proxy reads it only when it starts)");
    expect((await host.run(plan)).outcome).toBe("done");
  });

  it("is taken away when the proxy fetches its own, after the proxy", async () => {
    const host = await deployed();
    const plan = await prepare(
      host,
      stackOf(undefined, {}, ({ files }) => void (files["edge/traefik.yaml"] = "certificatesResolvers: {}\n")),
    );
    expect(ids(plan)).toEqual(["keep", "files", "up:edge", "certificate", "record", "tidy"]);
    expect((await host.run(plan)).outcome).toBe("done");
    expect(await readdir(host.paths.trafficDynamic)).toEqual(["routes.json"]);
  });

  it("leaves the routes of a first deploy to be written, though its file lies beside them", async () => {
    const host = await Host.make();
    useKey(host, first);
    const stack = stackOf(first);
    const journal = new MemoryJournal();
    const plan = await prepare(host, stack);
    journal.cutAt = 2 * plan.steps.findIndex((step) => step.id === "certificate") + 2;
    await expect(host.run(plan, journal)).rejects.toBeInstanceOf(Cut);
    expect(ids(await prepare(host, stack))).toContain("routes");
  });

  it.each([
    ["removed its file", (host: Host) => rm(host.paths.certificate), "removed by hand on the host: a reload is enough"],
    ["changed its file", (host: Host) => writeFile(host.paths.certificate, "{}"), "changed by hand on the host: a reload is enough"],
    [
      "changed its chain",
      async (host: Host) => {
        const [name = ""] = (await readdir(host.paths.certificates)).filter((one) => one.endsWith("-chain.pem"));
        await writeFile(join(host.paths.certificates, name), "evil");
      },
      "edge/tls/chain.pem was changed by hand on the host: a reload is enough",
    ],
  ])("is put right when hands have %s", async (_what, change, cause) => {
    const host = await deployed();
    await change(host);
    const { plan, drift } = await host.prepare(stackOf(first));
    expect(drift).toMatchObject([{ kind: "file-altered" }]);
    expect(causeOf(plan, "certificate")).toBe(cause);
    expect((await host.run(plan)).outcome).toBe("done");
    expect(await host.prepare(stackOf(first))).toMatchObject({ plan: { steps: [] }, drift: [] });
  });
});

describe("new settings of PostgreSQL", () => {
  const other = { "reload.conf": "work_mem = 8MB\njit = off\n" };
  const live = (host: Host): Promise<string> => readFile(join(host.paths.settings, "reload.conf"), "utf8");

  it("are taken by a reload, and the plan names them", async () => {
    const host = await deployed();
    const plan = await prepare(host, stackOf(first, other));
    expect(ids(plan)).toEqual(["keep", "settings", "record", "tidy"]);
    expect(causeOf(plan, "settings")).toBe("work_mem changed: a reload is enough");
    expect((await host.run(plan)).error).toBeUndefined();
    expect(host.docker.calls).toEqual(["reload"]);
    expect(await live(host)).toBe(other["reload.conf"]);
    expect((await prepare(host, stackOf(first, other))).steps).toEqual([]);
  });

  it("are there before the database's first start, and before it starts with their folder for the first time", async () => {
    const host = await Host.make();
    useKey(host, first);
    await host.deploy(fixtureStack());
    const plan = await prepare(host, stackOf(first));
    expect(ids(plan).filter((id) => ["settings", "up:database"].includes(id))).toEqual(["settings", "up:database"]);
    expect(plan.steps.find((step) => step.id === "settings")?.params).toEqual({ isReload: false });
    expect((await host.run(plan)).outcome).toBe("done");
    expect(host.docker.calls).not.toContain("reload");
  });

  it("that PostgreSQL would refuse are taken back before it has read them", async () => {
    const host = await deployed();
    host.settingsRefused = ["shared_buffers in line 3: setting could not be applied"];
    const { outcome, error } = await host.run(await prepare(host, stackOf(first, other)));
    expect({ outcome, error }).toMatchObject({ outcome: "undone", error: { code: "SETTINGS_REFUSED", details: host.settingsRefused } });
    expect(await live(host)).toBe("work_mem = 4MB\njit = off\n");
    expect(await host.prepare(stackOf(first))).toMatchObject({ plan: { steps: [] }, drift: [] });
  });

  it("that PostgreSQL does not read in time are taken back", async () => {
    const host = await deployed();
    host.isDatabaseDeaf = true;
    expect(await host.run(await prepare(host, stackOf(first, other)))).toMatchObject({ outcome: "undone", error: { code: "SETTINGS_REFUSED" } });
    expect(await live(host)).toBe("work_mem = 4MB\njit = off\n");
  });

  it("that ALTER SYSTEM holds fast are told", async () => {
    const host = await deployed();
    host.settingsOverruled = ["work_mem"];
    expect((await host.run(await prepare(host, stackOf(first, other)))).outcome).toBe("done");
    expect(host.events).toContainEqual(expect.objectContaining({ kind: "note", level: "warning", text: expect.stringContaining("work_mem") as string }));
  });

  it("that need a restart renew the database, and the plan names them and no others", async () => {
    const host = await deployed();
    const stack = stackOf(first, other, ({ files }) => void (files["database/postgresql.conf"] = "shared_buffers = 2GB\nmax_connections = 90\n"));
    const plan = await prepare(host, stack);
    expect(ids(plan)).toEqual(["keep", "files", "settings", "up:database", "provision", "record", "tidy"]);
    expect(causeOf(plan, "up:database")).toBe("database/postgresql.conf changed (max_connections, shared_buffers: only a restart brings them)");
    expect((await host.run(plan)).outcome).toBe("done");
  });

  it("go back with the database that they came with", async () => {
    const host = await deployed();
    const next = stackOf(first, other, ({ services }) => void Object.assign(services["database"] ?? {}, { image: image("postgres:18.7") }));
    host.docker.behave(image("postgres:18.7"), { exits: 1 });
    expect(await host.deploy(next)).toMatchObject({ outcome: "undone" });
    expect(host.docker.calls.filter((call) => call === "reload" || call.startsWith("recreate"))).toEqual([
      "reload",
      `recreate ${STACK}/database`,
      `recreate ${STACK}/database`,
      "reload",
    ]);
    expect(await host.prepare(stackOf(first))).toMatchObject({ plan: { steps: [] }, drift: [] });
  });

  it("go back without a reload when PostgreSQL is gone: it reads them when it starts", async () => {
    const host = await deployed();
    const next = stackOf(first, other, ({ services }) => void Object.assign(services["exporter"] ?? {}, { image: image("exporter:2") }));
    const plan = await prepare(host, next);
    host.docker.behave(image("exporter:2"), { exits: 1 });
    host.docker.beforeCall = (call) => void (call.includes("exporter") && host.docker.crash(STACK, "database"));
    expect((await host.run(plan)).outcome).toBe("undone");
    expect(host.docker.calls.filter((call) => call === "reload")).toHaveLength(1);
    expect(await live(host)).toBe("work_mem = 4MB\njit = off\n");
  });

  it("that hands have written are shown and put right", async () => {
    const host = await deployed();
    await writeFile(join(host.paths.settings, "pg_hba.conf"), "host all all all trust\n");
    const { plan, drift } = await host.prepare(stackOf(first));
    expect(drift.map(({ text }) => text)).toEqual([`${join(host.paths.settings, "pg_hba.conf")} was changed by hand`]);
    expect(causeOf(plan, "settings")).toBe("database/settings/pg_hba.conf was changed by hand on the host: a reload is enough");
    expect((await host.run(plan)).outcome).toBe("done");
    expect(await host.prepare(stackOf(first))).toMatchObject({ plan: { steps: [] }, drift: [] });
  });
});

describe("a reload that is cut off", () => {
  it("ends, at whatever journal line, with the old certificate and settings or the new ones", async () => {
    const settings = { "reload.conf": "work_mem = 8MB\n" };
    const seen = new Set<string>();
    for (let cutAt = 0; ; cutAt += 1) {
      const host = await deployed();
      useKey(host, second);
      const plan = await prepare(host, stackOf(second, settings));
      const journal = new MemoryJournal();
      journal.cutAt = cutAt;
      const whole = await host.run(plan, journal).catch((error: unknown) => {
        if (error instanceof Cut) return undefined;
        throw error;
      });
      if (whole !== undefined) break;
      journal.cutAt = Infinity;
      const { outcome } = await host.run(plan, journal);
      seen.add(outcome);
      if (outcome !== "done") useKey(host, first);
      const found = await host.prepare(outcome === "done" ? stackOf(second, settings) : stackOf(first));
      expect(found, `cut at line ${cutAt}`).toMatchObject({ plan: { steps: [] }, drift: [] });
    }
    expect([...seen].sort()).toEqual(["done", "undone"]);
  });
});
