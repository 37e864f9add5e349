import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseDocument } from "yaml";
import { PAUSE_FILE } from "../../src/agent/schedule-unit.ts";
import { type LabHost, type LabHostOptions, labHost, mirror } from "../lab/lab.ts";
import { collectArtifacts } from "./artifacts.ts";
import { eventually } from "./eventually.ts";
import { layAddons } from "./fixture-release.ts";
import { type FrontDoor, type Page, get } from "./front-door.ts";
import { type Load, type LoadOptions, startLoad } from "./load.ts";
import { type Answer, type AnswerError, type Command, type Outcome, startMillwright } from "./operator.ts";

export const ENVIRONMENT = "production";
export const STACK = `plant-${ENVIRONMENT}`;
export const DOMAIN = "erp.plant.example";
const BASE = `/srv/millwright/${STACK}`;

export interface PlantOptions extends LabHostOptions {
  /** Name of the lab host; short. */
  readonly host: string;
  /** Values set in site.yaml over what the wizard wrote, by dotted path. */
  readonly site?: Readonly<Record<string, unknown>>;
  /** Whether the host's key is pinned at once; true unless said otherwise. */
  readonly trust?: boolean;
  /** Gets what `plain` commands print. */
  readonly onLine?: (line: string) => void;
}

/**
 * An operator with a home and a site folder, and the lab host that the site is for. The product is driven through its command line alone;
 * `host` is the tests' own way in, to look and to break things.
 */
export class Plant {
  #host: LabHost;
  readonly stack = STACK;
  readonly scratch: string;
  readonly directory: string;
  readonly outcomes: Outcome[] = [];
  readonly #home: string;
  readonly #onLine: ((line: string) => void) | undefined;

  constructor(host: LabHost, scratch: string, onLine: ((line: string) => void) | undefined) {
    this.#host = host;
    this.scratch = scratch;
    this.directory = join(scratch, "site");
    this.#home = join(scratch, "home");
    this.#onLine = onLine;
  }

  /** A command with --json, whatever becomes of it. */
  async run(...words: string[]): Promise<Outcome> {
    return this.start(...words).done;
  }

  /** The same with a text on its standard input. */
  async runWith(input: string, ...words: string[]): Promise<Outcome> {
    return this.#command([...words, ...this.#everywhere(), "--json"], undefined, input).done;
  }

  /** As `run`, without waiting for its end. */
  start(...words: string[]): Command {
    return this.#command([...words, ...this.#everywhere(), "--json"], undefined);
  }

  /** A command as people see it, without --json. */
  async plain(...words: string[]): Promise<Outcome> {
    return this.startPlain(...words).done;
  }

  startPlain(...words: string[]): Command {
    return this.#command([...words, ...this.#everywhere()], this.#onLine);
  }

  /** A command that must succeed; its data. */
  async must(...words: string[]): Promise<Record<string, unknown>> {
    return dataOf(await this.run(...words));
  }

  /** What every command of this operator has: the site folder, and nobody to ask. */
  #everywhere(): readonly string[] {
    return ["--site", this.directory, "--no-input"];
  }

  #command(words: readonly string[], onLine: PlantOptions["onLine"], input?: string): Command {
    const how = { ...(onLine === undefined ? {} : { onLine }), ...(input === undefined ? {} : { input }) };
    const options = { home: this.#home, directory: this.scratch, identityFile: this.host.identityFile, ...how };
    const command = startMillwright(words, options);
    const done = command.done.then((outcome) => {
      this.outcomes.push(outcome);
      return outcome;
    });
    return { process: command.process, done };
  }

  /** The wizard writes the site folder by the answers in that file. */
  async write(answers: string): Promise<void> {
    const words = ["new", this.directory, "--answers", answers, "--no-input"];
    const outcome = await this.#command(this.#onLine === undefined ? [...words, "--json"] : words, this.#onLine).done;
    if (outcome.code !== 0) throw new Error(`millwright new: exit ${outcome.code}: ${outcome.stderr || outcome.stdout}`);
  }

  get host(): LabHost {
    return this.#host;
  }

  /** Another host serves from here on: a standby has taken over. */
  movedTo(host: LabHost): void {
    this.#host = host;
  }

  async #carryBackups(host: LabHost): Promise<void> {
    const backups = await this.sh("sh", "-c", `tar -C ${BASE} -cz backup | base64 -w 0`);
    const { code, stderr } = await host.sh(["sh", "-c", `mkdir -p ${BASE} && base64 -d | tar -C ${BASE} -xz`], { input: backups });
    if (code !== 0) throw new Error(`The backups did not come over: ${stderr}`);
  }

  async #replace(host: LabHost): Promise<void> {
    await host.sh(["sh", "-c", `mkdir -p ${BASE}/state && touch ${BASE}/state/${PAUSE_FILE}`]);
    await this.#host.destroy();
    this.#host = host;
  }

  /** Nothing is left but the disk with the backups, which another machine gets, and what lies in the safe: no site folder, no key of an operator's. */
  async loseAllButBackups(host: LabHost): Promise<void> {
    await this.#carryBackups(host);
    await this.loseAll(host);
  }

  /** Not even that disk. */
  async loseAll(host: LabHost): Promise<void> {
    await this.#replace(host);
    for (const folder of [this.directory, this.#home]) await rm(folder, { recursive: true });
    await mkdir(this.#home);
  }

  /** Makes a recovery key; the file that it was written into. */
  async recoveryKey(): Promise<string> {
    const file = join(this.scratch, "safe.txt");
    const { value } = await this.must("secrets", "recovery-key");
    await writeFile(file, String(value), { mode: 0o600 });
    return file;
  }

  /** Nothing is begun on the host by schedule: a run of its own would hold the lock when a test wants it. */
  async bootstrap(): Promise<Record<string, unknown>> {
    const done = await this.must("host", "bootstrap", "--yes");
    await this.sh("touch", `${BASE}/state/${PAUSE_FILE}`);
    return done;
  }

  /** The site folder's addons become those of a fixture; `release build` makes a release of them. */
  async build(fixture: number, ...more: string[]): Promise<Outcome> {
    await layAddons(join(this.directory, "addons"), fixture);
    return this.run("release", "build", "--notes", `Fixture ${fixture}`, ...more);
  }

  /** Builds a fixture that must build; the release's id. */
  async release(fixture: number, ...more: string[]): Promise<string> {
    return this.releaseWith(fixture, async () => {}, ...more);
  }

  /** The same with something changed in the addon's folder before. */
  async releaseWith(fixture: number, change: (addon: string) => Promise<void>, ...more: string[]): Promise<string> {
    const addons = join(this.directory, "addons");
    await layAddons(addons, fixture);
    await change(join(addons, "plant_portal"));
    await this.must("release", "build", "--notes", `Fixture ${fixture}`, ...more);
    return (await this.releases()).at(-1) ?? "";
  }

  /** Image id that a release file names. */
  async imageOf(release: string): Promise<string> {
    const file: unknown = parseDocument(await readFile(join(this.directory, "releases", `${release}.yaml`), "utf8")).get("image");
    return String(file);
  }

  /** Ids of the releases in the site folder, oldest first. */
  async releases(): Promise<readonly string[]> {
    const files = await readdir(join(this.directory, "releases"));
    return files.flatMap((file) => (file.endsWith(".yaml") ? [file.slice(0, -5)] : [])).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  }

  startUpgrade(release: string): Command {
    return this.start("upgrade", "--release", release, "--yes");
  }

  async upgrade(release: string): Promise<Outcome> {
    return this.startUpgrade(release).done;
  }

  /** From a bootstrapped host to a plant that serves the first release. */
  async serveFirst(): Promise<string> {
    await this.must("lock");
    await this.must("deploy", "--yes");
    const release = await this.release(1);
    dataOf(await this.upgrade(release));
    return release;
  }

  /** PEM of the authority that signs the plant's web certificate. */
  authority(): Promise<string> {
    return readFile(join(this.directory, "certificates", "ca.pem"), "utf8");
  }

  /** A login with OpenSSH's own client, as somebody does who holds the key. */
  async ssh(user: string, ...words: string[]): Promise<{ readonly code: number | null; readonly stdout: string }> {
    const options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "LogLevel=ERROR"];
    const flags = ["-T", "-p", String(this.host.port), "-i", this.host.identityFile, ...options.flatMap((option) => ["-o", option])];
    const child = spawn("ssh", [...flags, `${user}@${this.host.address}`, ...words], { stdio: ["ignore", "pipe", "ignore"] });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stdout };
  }

  /** The same command with a key that the host does not know. */
  async withStrangersKey(...words: string[]): Promise<Outcome> {
    const key = join(this.scratch, "stranger");
    await promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    return this.#command([...words, ...this.#everywhere(), "--identity", key, "--json"], undefined).done;
  }

  get door(): FrontDoor {
    return { address: this.host.address, domain: DOMAIN };
  }

  https(path: string): Promise<Page> {
    return get(this.door, path);
  }

  /** Number of the fixture that answers at the front door, and its colour. */
  async serving(): Promise<{ readonly number: number; readonly colour: string }> {
    const page = await this.https("/plant/version");
    const match = /^release (\d+)$/.exec(page.body);
    if (page.status !== 200 || match === null) throw new Error(`The front door answers /plant/version with ${page.status}: ${page.body.slice(0, 200)}`);
    return { number: Number(match[1]), colour: page.colour };
  }

  load(options: Partial<LoadOptions> = {}): Promise<Load> {
    return startLoad({
      address: this.host.address,
      port: 443,
      domain: DOMAIN,
      rate: 20,
      path: "/web/login",
      slowPath: "/plant/slow?seconds=2",
      websocket: true,
      held: 0,
      ...options,
    });
  }

  /** A command on the host, as root and without SSH; its output. */
  async sh(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.host.sh(words);
    if (code !== 0) throw new Error(`${words.join(" ")} on ${this.host.name}: exit ${code}: ${stderr || stdout}`);
    return stdout.trim();
  }

  /** The main process of the unit that carries out a run; undefined when none does. */
  async runPid(): Promise<number | undefined> {
    const pid = Number(await this.sh("systemctl", "show", "--property=MainPID", "--value", `millwright-run@${STACK}.service`));
    return pid > 0 ? pid : undefined;
  }

  /** The run that holds the stack's lock; undefined when nothing is under way. */
  async lockedBy(): Promise<string | undefined> {
    const { code, stdout } = await this.host.sh(["cat", `${BASE}/state/lock`]);
    if (code !== 0) return undefined;
    const { run } = JSON.parse(stdout) as { run: string };
    return run;
  }

  /** What has happened so far in a run, as the host has written it down. */
  async events(run: string): Promise<readonly HostEvent[]> {
    const { code, stdout } = await this.host.sh(["cat", `${BASE}/state/runs/${run}/events.jsonl`]);
    return code === 0 ? stdout.split("\n").flatMap((line) => (line.endsWith("}") ? [JSON.parse(line) as HostEvent] : [])) : [];
  }

  /** The release that is being swapped in, of the fixture that breaks later, falls ill in that way once users have come to it and it is being watched. */
  async breakInBake(how = "login"): Promise<void> {
    const run = await eventually(() => this.lockedBy(), { every: 20, what: "the lock" });
    await eventually(async () => (await this.events(run)).some((event) => event.id === "bake" && event.state === "begun"), { every: 20, what: "the bake" });
    await this.https(`/plant/break?how=${how}`);
  }

  /** How a run has ended, by the journal: what is told of it besides goes into a file that a full disk cuts short. */
  async endOf(run: string): Promise<RunEnd | undefined> {
    const entries = (await this.sh("sh", "-c", `grep '"run":"${run}"' ${BASE}/state/journal.jsonl || true`)).split("\n");
    const last = entries.map((line) => line.trim()).findLast((line) => line.includes('"kind":"run-ended"'));
    return last === undefined ? undefined : (JSON.parse(last) as { readonly detail: RunEnd }).detail;
  }

  /** Id of the newest run on the host, with its plan. */
  async lastRun(): Promise<HostRun> {
    const id = (await this.sh("sh", "-c", `ls ${BASE}/state/runs | sort | tail -1`)).trim();
    const plan = JSON.parse(await this.sh("cat", `${BASE}/state/runs/${id}/plan.json`)) as Pick<HostRun, "steps">;
    return { id, steps: plan.steps, events: await this.events(id) };
  }

  /** Containers of both colours that run, such as `blue/web`. */
  async coloursUp(): Promise<readonly string[]> {
    return (await this.#containers())
      .flatMap((name) => (/-(blue|green)\/.* running$/.test(name) ? [name.slice(STACK.length + 1).replace(" running", "")] : []))
      .sort();
  }

  /** The colours that the proxy's routes name, in words. */
  async routed(): Promise<string> {
    const file = `${BASE}/traffic/dynamic/millwright.yml`;
    return (await this.sh("sh", "-c", `grep -o 'odoo-[a-z]*:8069' ${file} | sort -u | sed 's/odoo-//; s/:8069//'`)).replaceAll("\n", " and ");
  }

  /** What a run may not leave behind when it has ended: units at work, containers in between, files of a stage. */
  async leftovers(): Promise<readonly string[]> {
    const units = await this.sh("systemctl", "list-units", "--plain", "--no-legend", "--state=active,activating,failed", `millwright-run@${STACK}.service`);
    const between = (await this.#containers()).filter((line) => !/ (running|exited)$/.test(line));
    const staged = await this.sh("sh", "-c", `ls ${BASE}/traffic/stage; find ${BASE}/state ${BASE}/colours -name '*.draft'`);
    return [units, ...between, staged].filter((line) => line !== "");
  }

  /** Every container as `project/service state`. Not by the engine's list: that keeps an old state when a full disk could not take the new one. */
  async #containers(): Promise<readonly string[]> {
    const format = '{{index .Config.Labels "com.docker.compose.project"}}/{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}}';
    return (await this.sh("sh", "-c", `docker inspect --format '${format}' $(docker ps --all --quiet)`)).split("\n");
  }

  async configure(values: Readonly<Record<string, unknown>>): Promise<void> {
    const path = join(this.directory, "site.yaml");
    const document = parseDocument(await readFile(path, "utf8"));
    for (const [key, value] of Object.entries(values)) {
      const keys = key.split(".");
      if (value !== undefined) document.setIn(keys, value);
      else if (document.hasIn(keys)) document.deleteIn(keys);
    }
    await writeFile(path, document.toString());
  }

  /** Keeps what a reader of a failure needs, and says where. */
  keepArtifacts(reason: string): Promise<string> {
    return collectArtifacts({ host: this.host, base: BASE, outcomes: this.outcomes, directory: this.directory, reason });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.destroy();
    await rm(this.scratch, { recursive: true, force: true });
  }
}

export interface HostRun {
  readonly id: string;
  readonly steps: readonly { readonly id: string; readonly decision?: boolean }[];
  readonly events: readonly HostEvent[];
}

/** What the journal keeps of a run's end. */
interface RunEnd {
  readonly at: string;
  readonly outcome: string;
}

export interface HostEvent {
  readonly kind: string;
  readonly at: string;
  readonly id?: string;
  /** Of a probe. */
  readonly name?: string;
  readonly verdict?: string;
  readonly state?: string;
  readonly detail?: string;
  readonly outcome?: string;
  readonly summary?: string;
  readonly result?: Readonly<Record<string, unknown>>;
}

/** A fresh lab host and a site folder for it, written by the wizard from an answers file; the host's key is pinned. */
export async function createPlant(options: PlantOptions): Promise<Plant> {
  const { host: name, site, onLine, trust = true, ...hostOptions } = options;
  const scratch = await mkdtemp(join(tmpdir(), "millwright-live-"));
  // Two runs at the same time must not take each other's host.
  const host = await labHost(`${name}-${process.pid}`, hostOptions);
  const plant = new Plant(host, scratch, onLine);
  try {
    await mkdir(join(scratch, "home"), { recursive: true });
    const answers = join(scratch, "answers.json");
    const text = JSON.stringify(answersFor(host), undefined, 2);
    await writeFile(answers, text);
    for (const line of text.split("\n")) onLine?.(line);
    await plant.write(answers);
    await plant.configure({ ...QUICK, ...site });
    if (trust) await plant.must("host", "trust", "--fingerprint", fingerprintOf(host.hostKey));
    return plant;
  } catch (error) {
    await plant[Symbol.asyncDispose]();
    throw error;
  }
}

/** Small and impatient, so that a test run takes minutes. Speed is told only: in a bake this short the scheduled jobs' own start is most of it. */
const QUICK = {
  "odoo.modules": ["plant_portal"],
  "swap.ready": "40s",
  "swap.drain": "15s",
  "swap.cron": "30s",
  "swap.bake": "4s",
  "swap.probe": "1s",
  "swap.rules.probes.failAfter": 2,
  "swap.rules.probes.passAfter": 2,
  "swap.rules.traffic.minimumRequests": 20,
  "swap.rules.latency.action": "warn",
};

function answersFor(host: LabHost): Record<string, unknown> {
  return {
    company: 'Plant & Söhne "Nord"',
    name: "plant",
    series: "19.0",
    users: 10,
    modules: ["plant_portal"],
    domain: DOMAIN,
    certificate: "ca",
    address: host.address,
    port: host.port,
    admin: host.user,
    memory: "4GiB",
    cpus: 2,
    mirror: `http://${mirror.address}`,
    sessions: "files",
    staging: false,
  };
}

/** Fingerprint of a public key, as `ssh-keygen -l` writes it. */
export function fingerprintOf(publicKey: string): string {
  const blob = publicKey.split(" ").find((word) => word.startsWith("AAAA")) ?? "";
  return `SHA256:${createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64").replace(/=+$/, "")}`;
}

/** Data of a command that succeeded; what it said otherwise is in the error. */
export function dataOf(outcome: Outcome): Record<string, unknown> {
  const answer = answerOf(outcome);
  if (!answer.ok)
    throw new Error(`millwright ${outcome.words.join(" ")}: exit ${outcome.code}: ${JSON.stringify(answer.error, undefined, 2)}\n${outcome.stderr}`);
  return answer.data;
}

/** Error of a command that failed. */
export function errorOf(outcome: Outcome): AnswerError {
  const answer = answerOf(outcome);
  if (answer.ok) throw new Error(`millwright ${outcome.words.join(" ")} succeeded: ${JSON.stringify(answer.data)}`);
  return answer.error;
}

function answerOf(outcome: Outcome): Answer {
  if (outcome.json === undefined)
    throw new Error(`millwright ${outcome.words.join(" ")}: exit ${outcome.code} without a JSON document: ${outcome.stdout}${outcome.stderr}`);
  return outcome.json;
}
