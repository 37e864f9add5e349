import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HostPaths, hostPaths } from "../../src/blueprint/host-paths.ts";
import { afterAll } from "vitest";
import type { Stack } from "../../src/blueprint/stack.ts";
import { openDeployContext } from "../../src/deploy/deploy-context.ts";
import type { DeployDeps } from "../../src/deploy/deploy-deps.ts";
import { deployTable } from "../../src/deploy/deploy-steps.ts";
import type { Listener } from "../../src/deploy/host-system.ts";
import { type PreparedDeploy, prepareDeploy } from "../../src/deploy/prepare-deploy.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";
import { makeDirectory } from "../../src/kernel/durable-file.ts";
import type { Events, MillwrightEvent } from "../../src/kernel/events.ts";
import type { Journal, JournalEntry } from "../../src/kernel/journal.ts";
import type { Plan } from "../../src/kernel/plan.ts";
import { runPlan, type RunOutcome } from "../../src/kernel/run-plan.ts";
import { Secret } from "../../src/kernel/secret.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { FakeDocker } from "../fakes/fake-docker.ts";
import { STACK } from "./fixture-stack.ts";

/** A journal in memory. `cutAt` plays a kill just before the entry of that number is on the disk. */
export class MemoryJournal implements Journal {
  readonly lines: JournalEntry[] = [];
  cutAt = Number.POSITIVE_INFINITY;

  async append(entry: Pick<JournalEntry, "kind" | "step" | "detail">): Promise<void> {
    if (this.lines.length >= this.cutAt) throw new Cut();
    this.lines.push({ seq: this.lines.length, at: "", run: "r", who: "w", previous: "", hash: "", ...entry });
  }

  async entries(): Promise<readonly JournalEntry[]> {
    return this.lines;
  }
}

export class Cut extends Error {}

const roots: string[] = [];
afterAll(async () => {
  for (const root of roots) await rm(root, { recursive: true });
});

/** A host in memory and a temporary folder, to deploy to. */
export class Host {
  readonly clock = new FakeClock();
  readonly docker = new FakeDocker(this.clock);
  readonly events: MillwrightEvent[] = [];
  readonly paths: HostPaths;
  readonly deps: DeployDeps;
  readonly routes: string[] = [];
  secrets: Record<string, Secret> = Object.fromEntries(["db_superuser", "db_odoo", "db_monitor"].map((name) => [name, new Secret(`${name}-value-1`)]));
  listeners: readonly Listener[] = [];
  freeBytes = 100e9;
  /** Where new connections go instead of to the proxy. */
  led: readonly string[] = [];
  fenced = false;
  /** Why no copy of the other host's database can be had. */
  seedProblem: MillwrightError | undefined;
  archivePrepared = 0;
  archiveProblem: string | undefined;
  offsitePrepared = 0;
  offsiteProblem: MillwrightError | undefined;
  /** What is wrong with a new proxy when it is asked. */
  proxyProblem: string | undefined;

  /** Whether the proxy reads what is renamed into its folder. */
  isProxyDeaf = false;
  /** What PostgreSQL says against the settings that it is about to read. */
  settingsRefused: readonly string[] = [];
  /** Settings that ALTER SYSTEM holds fast. */
  settingsOverruled: readonly string[] = [];
  /** Whether PostgreSQL acts on being told to read its settings. */
  isDatabaseDeaf = false;
  #certificate = "";
  #reloads = 0;

  private constructor(root: string) {
    this.paths = hostPaths(STACK, root);
    this.deps = {
      stack: STACK,
      paths: this.paths,
      docker: this.docker,
      compose: this.docker,
      clock: this.clock,
      host: { freeBytes: async () => this.freeBytes, listeners: async () => this.listeners },
      openVault: async () => this.secrets,
      prepareArchive: async () => {
        this.archivePrepared += 1;
        return this.archiveProblem;
      },
      prepareOffsite: async () => {
        this.offsitePrepared += 1;
        if (this.offsiteProblem !== undefined) throw this.offsiteProblem;
      },
      isFenced: async () => this.fenced,
      unfence: async () => {
        this.fenced = false;
      },
      seedStandby: async (_stack, _signal, makeWay) => {
        this.docker.calls.push("copy");
        if (this.seedProblem !== undefined) throw this.seedProblem;
        await makeWay();
        this.docker.calls.push("seed");
        await makeDirectory(this.paths.cluster, 0o700);
        for (const name of ["PG_VERSION", "standby.signal"]) await writeFile(join(this.paths.cluster, name), "");
        return { summary: "from 20261124-023000F" };
      },
      writeRoutes: async (stack) => {
        this.routes.push(stack.id);
        await makeDirectory(this.paths.trafficDynamic, 0o755);
        await writeFile(join(this.paths.trafficDynamic, "routes.json"), stack.id);
      },
      holdUsers: async () => void this.docker.calls.push("hold"),
      letUsersIn: async () => void this.docker.calls.push("let in"),
      redirect: {
        begin: async (ports) => {
          this.led = ports.map(({ port, address, target }) => `${port} → ${address}:${target}`);
          this.docker.calls.push("lead away");
        },
        end: async () => {
          if (this.led.length > 0) this.docker.calls.push("lead back");
          this.led = [];
        },
      },
      probeProxy: async () => this.proxyProblem,
      shownCertificate: async () => {
        if (!this.isProxyDeaf) this.#certificate = await this.#pointedAt();
        return this.#certificate;
      },
      query: async (sql) => {
        if (sql.includes("pg_reload_conf")) {
          this.docker.calls.push("reload");
          if (!this.isDatabaseDeaf) this.#reloads += 1;
          return [["t"]];
        }
        if (sql.includes("pg_conf_load_time")) return [[String(this.#reloads)]];
        return (sql.includes("pg_hba_file_rules") ? this.settingsRefused : this.settingsOverruled).map((line) => [line]);
      },
      acceptedWaivers: async () => [],
      imageDirectory: "/var/lib/docker",
    };
  }

  static async make(): Promise<Host> {
    const root = await mkdtemp(join(tmpdir(), "millwright-host-"));
    roots.push(root);
    const host = new Host(root);
    await makeDirectory(host.paths.base, 0o755);
    return host;
  }

  /** Fingerprint of the certificate that Traefik's folder names. */
  async #pointedAt(): Promise<string> {
    const pointer = await readFile(this.paths.certificate, "utf8");
    const name = /\/tls\/([^"]*chain\.pem)"/.exec(pointer)?.[1] ?? "";
    return new X509Certificate(await readFile(join(this.paths.certificates, name))).fingerprint256;
  }

  /** Puts the images of a stack into the registry that the host pulls from. */
  offer(stack: Stack): void {
    for (const reference of stack.facts.images) this.docker.addToRegistry(reference);
  }

  async prepare(stack: Stack, more: { readonly rebuild?: true } = {}): Promise<PreparedDeploy> {
    return await prepareDeploy(this.deps, { stack, now: new Date(this.clock.now()).toISOString(), ...more });
  }

  async run(plan: Plan, journal: Journal = new MemoryJournal(), signal: AbortSignal = new AbortController().signal): Promise<RunOutcome> {
    const events: Events = { emit: (event) => this.events.push(event) };
    const context = await openDeployContext(this.deps, plan, events);
    return await runPlan({ plan, table: deployTable, context, journal, events, clock: this.clock, signal });
  }

  async deploy(stack: Stack): Promise<RunOutcome> {
    this.offer(stack);
    const { plan } = await this.prepare(stack);
    this.clock.pass(1000);
    return await this.run(plan);
  }

  /** What runs on the platform: service → config label, and the state. */
  async running(): Promise<Record<string, string>> {
    const containers = await this.docker.containers(STACK);
    return Object.fromEntries(containers.map((container) => [container.service, `${container.state} ${container.labels["millwright.config"] ?? "-"}`]));
  }
}
