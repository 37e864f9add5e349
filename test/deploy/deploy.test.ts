import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Stack } from "../../src/blueprint/stack.ts";
import { deployBasis } from "../../src/deploy/prepare-deploy.ts";
import { currentStack } from "../../src/deploy/stack-store.ts";
import { hashOf } from "../../src/kernel/canonical.ts";
import type { Plan } from "../../src/kernel/plan.ts";
import { PACKAGES_PATH } from "../../src/release/package-script.ts";
import { type FakeRun, putFile } from "../fakes/fake-engine.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { formatPlan } from "../fakes/format-plan.ts";
import { Secret } from "../../src/kernel/secret.ts";
import { derive, fixtureStack, hardened, image, STACK } from "./fixture-stack.ts";
import { Cut, Host, MemoryJournal } from "./host.ts";

const withTraefik = (text: string): Stack => fixtureStack(({ files }) => void (files["edge/traefik.yaml"] = text));
const ids = (plan: Plan): string[] => plan.steps.map((step) => step.id);

async function deployed(): Promise<{ readonly host: Host; readonly stack: Stack }> {
  const host = await Host.make();
  const stack = fixtureStack();
  expect((await host.deploy(stack)).error).toBeUndefined();
  host.docker.calls.length = 0;
  return { host, stack };
}

describe("a deploy", () => {
  it("brings a bare host to the stack, services in their order, roles after the database", async () => {
    const host = await Host.make();
    const stack = fixtureStack();
    host.offer(stack);
    const { plan } = await host.prepare(stack);
    expect(formatPlan(plan)).toBe(
      [
        "Keep the present configuration  (a failure goes back to it)",
        "Pull traefik:v3.7  (not on the host)",
        "Pull postgres:18  (not on the host)",
        "Pull exporter:1  (not on the host)",
        "Write configuration and compose.yaml  (none yet)",
        "Renew the proxy's routes  (none yet)",
        "Start edge  (new)",
        "Start database  (new)",
        "Set up database, roles, passwords and the archive of its log  (first time)",
        "Start exporter  (new)",
        `Record stack ${stack.id}  (the next deploy compares with it)`,
        "Remove old stacks, unused files and images  (the last few are kept)",
      ].join("\n"),
    );
    expect((await host.run(plan)).outcome).toBe("done");
    expect(Object.keys(await host.running())).toEqual(["database", "edge", "exporter"]);
    expect(await currentStack(host.paths)).toBe(stack.id);
  });

  it("makes an offsite repository ready where the site has one, and goes on without it when it is out of reach", async () => {
    const host = await Host.make();
    const stack = fixtureStack((made) => {
      Object.assign(made.facts, { backup: { at: "02:30", full: 0, keepDays: 14, offsite: { place: "nas:9000/acme/", keepDays: 35 } } });
    });
    host.offer(stack);
    host.offsiteProblem = new MillwrightError("ARCHIVE_BROKEN", "unable to connect");
    expect(await host.deploy(stack)).toMatchObject({ outcome: "done" });
    expect([host.archivePrepared, host.offsitePrepared]).toEqual([1, 1]);
    expect(host.events.flatMap((event) => (event.kind === "note" ? [event.text] : []))).toEqual([
      expect.stringContaining("the next backup tries again): unable to connect"),
    ]);
    const { host: without } = await deployed();
    expect(without.offsitePrepared).toBe(0);
  });

  it("has nothing to do the second time", async () => {
    const { host, stack } = await deployed();
    const { plan, drift } = await host.prepare(stack);
    expect(plan.steps).toEqual([]);
    expect(drift).toEqual([]);
    expect(host.docker.calls).toEqual([]);
  });

  it("touches only the service whose file changed, and says which", async () => {
    const { host } = await deployed();
    const stack = withTraefik("log: {}\n");
    const { plan } = await host.prepare(stack);
    expect(plan.steps.find((step) => step.kind === "up")).toMatchObject({
      id: "up:edge",
      cause: "edge/traefik.yaml changed (the proxy reads it only when it starts)",
    });
    expect((await host.run(plan)).outcome).toBe("done");
    expect(host.docker.calls).toEqual([`recreate ${STACK}/edge`]);
  });

  it("only records a stack that differs in what the colours use", async () => {
    const { host } = await deployed();
    const stack = fixtureStack(({ secretFiles }) => void (secretFiles["app/odoo.conf"] = "workers = 4\n"));
    const { plan } = await host.prepare(stack);
    expect(ids(plan)).toEqual(["record", "tidy"]);
    expect((await host.run(plan)).outcome).toBe("done");
    expect((await host.prepare(stack)).plan.steps).toEqual([]);
  });

  it("names a changed image", async () => {
    const { host } = await deployed();
    const stack = fixtureStack(({ services }) => void Object.assign(services["database"] ?? {}, { image: image("postgres:18.7") }));
    host.offer(stack);
    const { plan } = await host.prepare(stack);
    expect(ids(plan)).toEqual(["keep", "pull:postgres:18.7", "files", "up:database", "provision", "record", "tidy"]);
    expect(plan.steps[3]?.cause).toBe("image postgres:18 → postgres:18.7");
  });

  it("lets users wait while what Odoo needs is renewed, and lets them in again also when that fails", async () => {
    const { host } = await deployed();
    host.docker.addContainer({ project: `${STACK}-blue`, service: "web", image: `sha256:${"f".repeat(64)}` });
    const next = fixtureStack(({ services }) => void Object.assign(services["database"] ?? {}, { image: image("postgres:18.7") }));
    host.offer(next);
    const { plan } = await host.prepare(next);
    expect(ids(plan)).toEqual(["keep", "pull:postgres:18.7", "files", "hold", "up:database", "provision", "let-in", "record", "tidy"]);
    host.docker.behave(image("postgres:18.7"), { exits: 1 });
    expect((await host.run(plan)).outcome).toBe("undone");
    const calls = host.docker.calls.filter((call) => !call.startsWith("pull") && !call.startsWith("exec"));
    expect(calls).toEqual(["hold", `recreate ${STACK}/database`, `recreate ${STACK}/database`, "let in"]);
  });

  it("sets changed passwords without renewing the database", async () => {
    const { host, stack } = await deployed();
    host.secrets = { ...host.secrets, db_odoo: new Secret("db_odoo-value-2") };
    const { plan } = await host.prepare(stack);
    expect(ids(plan)).toEqual(["keep", "provision", "record", "tidy"]);
    expect((await host.run(plan)).outcome).toBe("done");
    expect(JSON.stringify(plan) + JSON.stringify(host.docker.execs)).not.toContain("db_odoo-value");
  });

  it("removes a service that the stack no longer has", async () => {
    const { host } = await deployed();
    const stack = fixtureStack(({ services }) => void delete services["exporter"]);
    await host.deploy(stack);
    expect(Object.keys(await host.running())).toEqual(["database", "edge"]);
  });

  it("flags exactly the first step as its decision", async () => {
    const { host } = await deployed();
    const { plan } = await host.prepare(withTraefik("x: 1\n"));
    expect(plan.steps.map((step) => step.decision === true)).toEqual(plan.steps.map((_, index) => index === 0));
  });

  it("names a running colour whose settings are others now, and leaves it to a swap", async () => {
    const { host } = await deployed();
    const release = `sha256:${"f".repeat(64)}`;
    host.docker.addContainer({ project: `${STACK}-blue`, service: "web", image: release, labels: { "millwright.config": "of the old stack" } });
    const { plan, notes, outdated } = await host.prepare(withTraefik("x: 1\n"));
    expect(notes).toEqual([expect.stringContaining("No page answers")]);
    expect(outdated).toEqual(["blue web"]);
    expect((await host.run(plan)).outcome).toBe("done");
    expect(host.docker.calls).toEqual([`recreate ${STACK}/edge`]);
  });
});

describe("a deploy with a derived image", () => {
  const withPgbackrest = (): Stack => fixtureStack((made) => void derive(made));
  const [name = ""] = (withPgbackrest().facts.derived ?? []).map((one) => one.image);
  const aptWorks = ({ files, onLine }: FakeRun): number => {
    putFile(files, PACKAGES_PATH);
    putFile(files, `${PACKAGES_PATH}/pgbackrest`, "2.60");
    onLine("Get:1 pgbackrest");
    return 0;
  };

  it("makes it after the pulls and before what needs it, and says so", async () => {
    const host = await Host.make();
    const stack = withPgbackrest();
    host.offer(stack);
    host.docker.onBuild = aptWorks;
    const { plan } = await host.prepare(stack);
    expect(formatPlan(plan)).toContain("Pull postgres:18  (not on the host)\nPut pgbackrest into postgres:18  (not on the host)\nWrite configuration");
    expect((await host.run(plan)).error).toBeUndefined();
    const [id] = host.docker.calls.flatMap((call) => (call.startsWith("load ") ? [call.slice(5)] : []));
    expect(host.docker.calls.slice(3, 6)).toEqual(["workbench", `load ${id}`, `tag ${name}`]);
    expect((await host.docker.containers(STACK)).find(({ service }) => service === "database")?.image).toBe(name);
    expect(host.events).toContainEqual(expect.objectContaining({ kind: "note", text: "Get:1 pgbackrest" }));
    expect((await host.prepare(stack)).plan.steps).toEqual([]);
  });

  it("goes on with the image that has come from elsewhere since the plan was made", async () => {
    const host = await Host.make();
    const stack = withPgbackrest();
    host.offer(stack);
    const { plan } = await host.prepare(stack);
    host.docker.addImage(name, { layers: [`sha256:${hashOf(["layer", image("postgres:18")])}`, "sha256:packages"] });
    expect(await deployBasis(host.deps, plan)).toBe(plan.basis);
    expect((await host.run(plan)).error).toBeUndefined();
    expect(host.docker.calls).not.toContain("workbench");
  });

  it("is undone with apt's reason when that fails, and the services go on as they were", async () => {
    const { host } = await deployed();
    host.docker.onBuild = ({ onLine }) => {
      onLine("Err:1 Temporary failure resolving 'packages.example'");
      return 100;
    };
    const { outcome, error } = await host.deploy(withPgbackrest());
    expect({ outcome, error }).toMatchObject({
      outcome: "undone",
      error: { code: "BUILD_FAILED", hint: expect.stringContaining("deploy --docker") as string },
    });
    expect(host.docker.calls.filter((call) => call.startsWith("recreate"))).toEqual([]);
  });

  it("removes derived images that nothing names any more, and keeps those of containers, of a way back, and of others", async () => {
    const { host, stack } = await deployed();
    const tag = (digit: string, part = "database"): string => `millwright/${part}:${digit.repeat(16)}`;
    for (const reference of [tag("1"), tag("2"), `millwright/${STACK}:0123456789ab`, "postgres:18"]) host.docker.addImage(reference);
    host.docker.addContainer({ project: "beta-production", service: "database", image: tag("2") });
    host.docker.onBuild = aptWorks;
    await host.deploy(withPgbackrest());
    const gone = (): string[] => host.docker.calls.filter((call) => call.startsWith("untag"));
    expect(gone()).toEqual([`untag ${tag("1")}`]);
    // The compose.yaml before the present one still names it; two deploys later it does not.
    await host.deploy(stack);
    expect(gone()).toHaveLength(1);
    await host.deploy(withTraefik("x: 1\n"));
    expect(gone().slice(1)).toEqual([`untag ${name}`]);
  });
});

describe("what hands did on the host", () => {
  it("is shown and put right: an edited compose.yaml and a service made from it", async () => {
    const { host, stack } = await deployed();
    const path = join(host.paths.platform, "compose.yaml");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace("pids_limit: 100", "pids_limit: 999"));
    await host.docker.up(STACK, host.paths.platform, ["edge"]);
    const { plan, drift } = await host.prepare(stack);
    expect(drift.map((entry) => entry.text)).toEqual(["platform/compose.yaml was changed by hand", "edge was recreated by hand with another definition"]);
    expect(plan.steps.map((step) => `${step.id}: ${step.cause}`)).toContain("up:edge: recreated by hand on the host");
    await host.run(plan);
    expect(await readFile(path, "utf8")).toBe(text);
    expect((await host.prepare(stack)).plan.steps).toEqual([]);
  });

  it("does not restart a service that was recreated with the same definition", async () => {
    const { host, stack } = await deployed();
    const [database] = (await host.docker.containers(STACK)).filter((container) => container.service === "database");
    await host.docker.stop(database?.id ?? "", 1);
    await host.docker.remove(database?.id ?? "");
    await host.docker.up(STACK, host.paths.platform, ["database"]);
    const { plan, drift } = await host.prepare(stack);
    expect(ids(plan)).toEqual(["record", "tidy"]);
    expect(drift.map((entry) => entry.text)).toEqual(["database was recreated by hand with the same definition"]);
  });

  it("is shown and put right: a stopped, a removed and a sick service", async () => {
    const { host, stack } = await deployed();
    const by = Object.fromEntries((await host.docker.containers(STACK)).map((container) => [container.service, container.id]));
    host.docker.crash(STACK, "edge");
    host.docker.crash(STACK, "exporter");
    await host.docker.remove(by["exporter"] ?? "");
    host.docker.behave("database", { health: "unhealthy" });
    const { plan, drift } = await host.prepare(stack);
    expect(drift.map((entry) => entry.kind)).toEqual(["unhealthy", "stopped", "removed"]);
    expect(plan.steps.filter((step) => step.kind === "up").map((step) => step.cause)).toEqual(["not running", "unhealthy", "removed by hand on the host"]);
    host.docker.behave("database", {});
    expect((await host.run(plan)).outcome).toBe("done");
    expect(host.docker.calls).toContain(`create ${STACK}/database`);
  });

  it("is put right in a mounted file, with the service that mounts it", async () => {
    const { host, stack } = await deployed();
    const [name] = (await readdir(host.paths.files)).filter((file) => file.endsWith("-traefik.yaml"));
    const path = join(host.paths.files, name ?? "");
    await (await import("node:fs/promises")).chmod(path, 0o644);
    await writeFile(path, "evil");
    const { plan, drift } = await host.prepare(stack);
    expect(drift).toMatchObject([{ kind: "file-altered" }]);
    expect(plan.steps.find((step) => step.kind === "up")?.cause).toBe("edge/traefik.yaml was changed by hand on the host");
    await host.run(plan);
    expect(await readFile(path, "utf8")).toBe("entryPoints: {}\n");
    expect((await host.prepare(stack)).plan.steps).toEqual([]);
  });

  it("is shown and left alone when it is not ours", async () => {
    const { host, stack } = await deployed();
    host.docker.addContainer({ project: STACK, service: "adminer" });
    host.docker.addContainer({ project: "other", service: "spy", networks: [`${STACK}_data`] });
    const { plan, drift } = await host.prepare(stack);
    expect(drift.map((entry) => entry.kind)).toEqual(["foreign", "not-ours"]);
    expect(plan.steps).toEqual([]);
  });
});

describe("a deploy that fails", () => {
  it("names the sick service with its last words and puts the previous stack back", async () => {
    const { host, stack } = await deployed();
    const before = await host.running();
    const next = fixtureStack(({ files, services }) => {
      files["edge/traefik.yaml"] = "x: 1\n";
      Object.assign(services["exporter"] ?? {}, { image: image("exporter:2") });
    });
    const words = Array.from({ length: 20 }, (_, index) => `line ${index}`);
    host.docker.behave(image("exporter:2"), { health: "unhealthy", logs: words });
    expect(await host.deploy(next)).toMatchObject({ outcome: "undone", error: { code: "SERVICE_UNHEALTHY", subject: "exporter", details: words.slice(-15) } });
    expect(await host.running()).toEqual(before);
    expect(await currentStack(host.paths)).toBe(stack.id);
    expect(host.routes.at(-1)).toBe(stack.id);
    // Put back by us, not by hands: neither work nor drift is left.
    expect(await host.prepare(stack)).toMatchObject({ plan: { steps: [] }, drift: [] });
  });

  it("stops for a person when the previous service does not come back either", async () => {
    const { host } = await deployed();
    const next = fixtureStack(({ services }) => void Object.assign(services["exporter"] ?? {}, { image: image("exporter:2") }));
    host.offer(next);
    const { plan } = await host.prepare(next);
    host.docker.behave("exporter", { exits: 1 });
    expect(await host.run(plan)).toMatchObject({ outcome: "failed", error: { code: "UNDO_FAILED", exit: 7 } });
  });

  it("leaves nothing running of a first stack that did not come up", async () => {
    const host = await Host.make();
    host.docker.behave("exporter", { exits: 1 });
    expect(await host.deploy(fixtureStack())).toMatchObject({ outcome: "undone", error: { code: "SERVICE_UNHEALTHY" } });
    expect(await host.running()).toEqual({});
    expect(await currentStack(host.paths)).toBeUndefined();
  });

  it("says at once when a service keeps ending, and gives up in time when it never gets healthy", async () => {
    const host = await Host.make();
    host.docker.behave("edge", { healthyAfter: 10_000_000 });
    const begun = host.clock.now();
    expect(await host.deploy(fixtureStack())).toMatchObject({ error: { message: "Service edge is not healthy after 70 s." } });
    expect(host.clock.now() - begun).toBeLessThan(75_000);
    expect(host.events.filter((event) => event.kind === "progress" && event.unit === "seconds").length).toBeGreaterThan(60);
  });

  it("undoes everything when an image is nowhere to be had, before a service was touched", async () => {
    const { host } = await deployed();
    const next = fixtureStack(({ services }) => void Object.assign(services["edge"] ?? {}, { image: image("traefik:v9") }));
    const { plan } = await host.prepare(next);
    expect(await host.run(plan)).toMatchObject({ outcome: "undone", error: { code: "IMAGE_MISSING" } });
    expect(host.docker.calls.filter((call) => call.startsWith("recreate"))).toEqual([]);
  });
});

describe("a deploy that is cut off", () => {
  it("ends, at whatever journal line, with the old stack whole or the new one whole", async () => {
    const next = fixtureStack(({ files, services }) => {
      files["edge/traefik.yaml"] = "x: 1\n";
      services["extra"] = hardened({ image: image("extra:1"), networks: ["metrics"] });
      delete services["exporter"];
    });
    const seen = { old: 0, new: 0 };
    const cuts = [...Array.from({ length: 40 }, (_, line) => ({ line, call: -1 })), ...Array.from({ length: 10 }, (_, call) => ({ line: Infinity, call }))];
    const over = { line: Infinity, call: Infinity };
    for (const cut of cuts) {
      if (cut.call < 0 ? cut.line > over.line : cut.call > over.call) continue;
      const { host, stack } = await deployed();
      const before = await host.running();
      host.offer(next);
      const { plan } = await host.prepare(next);
      const journal = new MemoryJournal();
      journal.cutAt = cut.line;
      const killed = new AbortController();
      host.docker.beforeCall = () => {
        if (host.docker.calls.length !== cut.call) return;
        killed.abort(new Cut());
        throw new Cut();
      };
      const first = await host.run(plan, journal, killed.signal).catch((error: unknown) => {
        if (error instanceof Cut) return undefined;
        throw error;
      });
      if (first !== undefined) {
        over[cut.call < 0 ? "line" : "call"] = cut.call < 0 ? cut.line : cut.call;
        continue;
      }
      journal.cutAt = Infinity;
      host.docker.beforeCall = () => {};
      const { outcome } = await host.run(plan, journal);
      const isNew = outcome === "done";
      seen[isNew ? "new" : "old"] += 1;
      const after = await host.running();
      const where = JSON.stringify(cut);
      if (isNew) expect(Object.keys(after), where).toEqual(["database", "edge", "extra"]);
      else expect(after, where).toEqual(before);
      expect(await currentStack(host.paths), where).toBe(isNew ? next.id : stack.id);
      expect(await host.prepare(isNew ? next : stack), where).toMatchObject({ plan: { steps: [] }, drift: [] });
    }
    expect(seen.old).toBeGreaterThan(0);
    expect(seen.new).toBeGreaterThan(15);
  }, 60_000);
});

describe("before anything is begun", () => {
  it("a full disk is seen", async () => {
    const host = await Host.make();
    host.freeBytes = 2e9;
    await expect(host.prepare(fixtureStack())).rejects.toMatchObject({ code: "NO_SPACE" });
  });

  it("a port that another program holds is seen, but not our own proxy's", async () => {
    const host = await Host.make();
    host.listeners = [
      { address: "::", port: 443 },
      { address: "10.0.0.1", port: 80 },
    ];
    await expect(host.prepare(fixtureStack())).rejects.toMatchObject({ code: "PORT_TAKEN", message: expect.stringContaining("listens on 443,") });
    host.listeners = [];
    await host.deploy(fixtureStack());
    host.listeners = [{ address: "127.0.0.1", port: 443 }];
    expect((await host.prepare(fixtureStack())).plan.steps).toEqual([]);
  });

  it("clocks too far apart are seen", async () => {
    const host = await Host.make();
    const now = new Date(host.clock.now() - 61_000).toISOString();
    await expect((await import("../../src/deploy/prepare-deploy.ts")).prepareDeploy(host.deps, { stack: fixtureStack(), now })).rejects.toMatchObject({
      code: "CLOCK_WRONG",
    });
  });

  it("a secret that the vault lacks is seen", async () => {
    const host = await Host.make();
    host.secrets = {};
    await expect(host.prepare(fixtureStack())).rejects.toMatchObject({ code: "SECRET_MISSING" });
  });
});

describe("files on the host", () => {
  it("go when no compose.yaml names them any more", async () => {
    const { host } = await deployed();
    await host.deploy(withTraefik("x: 1\n"));
    await host.deploy(withTraefik("x: 2\n"));
    await host.deploy(withTraefik("x: 3\n"));
    const contents = await Promise.all(
      (await readdir(host.paths.files)).filter((name) => name.endsWith("-traefik.yaml")).map((name) => readFile(join(host.paths.files, name), "utf8")),
    );
    expect(contents.sort()).toEqual(["x: 2\n", "x: 3\n"]);
  });

  it("hold no secret but in the folder of secrets", async () => {
    const { host } = await deployed();
    const held: string[] = [];
    for (const entry of await readdir(host.paths.base, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      if ((await readFile(path, "utf8")).includes("db_superuser-value")) held.push(path);
    }
    expect(held.every((path) => path.startsWith(host.paths.secrets))).toBe(true);
    expect(held).toHaveLength(1);
  });
});
