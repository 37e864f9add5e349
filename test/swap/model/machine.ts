import { type AgentDeps, storeOf } from "../../../src/agent/agent-deps.ts";
import { executeRun, RUN_EXIT } from "../../../src/agent/execute-run.ts";
import { type Lock, lockSchema } from "../../../src/agent/run-lock.ts";
import type { Verb } from "../../../src/agent/protocol.ts";
import { runTables } from "../../../src/agent/run-tables.ts";
import { callVerbHandler } from "../../../src/agent/serve.ts";
import { verbTable } from "../../../src/agent/verbs/table.ts";
import { type HostPaths, hostPaths } from "../../../src/blueprint/host-paths.ts";
import { asMillwrightError, MillwrightError } from "../../../src/kernel/errors.ts";
import { silentEvents } from "../../../src/kernel/events.ts";
import type { RunResult, Shell } from "../../../src/kernel/shell.ts";
import { STACK } from "../../deploy/fixture-stack.ts";
import { MachineClock } from "./clock.ts";
import { Disk, type Random } from "./disk.ts";
import { Engine } from "./engine.ts";
import { Odoo } from "./odoo.ts";
import { currentProcess, effect, type EffectKind, MachineProcess, processClock, type ProcessHost, type Strike } from "./process.ts";

const BOOT_MILLISECONDS = 10_000;
const RESTART_MILLISECONDS = 1000;
const STOP_MILLISECONDS = 30_000;
/** No run may take longer; a machine that does not come to rest by then never does. */
const PATIENCE_MILLISECONDS = 12 * 60 * 60_000;
const KILLED = 137;

/** A host with systemd, Docker, and the agent, all of whose parts may fail. Nothing in it is real but the agent's own code. */
export class Machine implements ProcessHost {
  readonly clock = new MachineClock();
  readonly disk = new Disk(() => this.clock.now());
  readonly engine: Engine;
  readonly odoo: Odoo;
  readonly unit = new Unit(this);
  readonly sockets = new Map<string, MachineProcess>();
  readonly paths: HostPaths = hostPaths(STACK);
  /** What was changed and by whom, for whoever has to find out why. */
  readonly trace: string[] = [];
  /** Processes of people that were killed before what they asked for was under way. */
  killedInMidAsking = 0;
  /** Every lock that was taken. */
  readonly locks: Lock[] = [];
  isUp = true;
  /** The kernel leads new connections from outside to the proxy's stand-in. */
  isRedirected = false;
  onEffect: (process: MachineProcess, kind: EffectKind, name: string) => Strike | undefined = () => undefined;
  readonly #processes = new Set<MachineProcess>();
  #serial = 0;
  #boot = 0;

  constructor() {
    this.odoo = new Odoo(STACK, this.paths, this.clock, this.disk, () => this.engine);
    this.engine = new Engine(this.clock, this.disk, this.odoo);
    this.disk.watchers.add((path) => {
      const text = path === this.paths.lock ? this.disk.text(path) : undefined;
      if (text !== undefined) this.locks.push(lockSchema.parse(JSON.parse(text)));
    });
  }

  /** The same machine once more, as it is; only while nothing is under way on it. */
  copy(): Machine {
    if (this.#processes.size > 0) throw new Error("a machine is copied when nothing runs on it");
    const made = new Machine();
    made.clock.copyFrom(this.clock);
    made.disk.copyFrom(this.disk);
    made.engine.copyFrom(this.engine);
    made.odoo.copyFrom(this.odoo);
    made.#serial = this.#serial;
    return made;
  }

  strike(process: MachineProcess, kind: EffectKind, name: string): Strike | undefined {
    const strike = this.onEffect(process, kind, name);
    const mark = strike === undefined ? "" : strike.kind === "kill" ? `  ← killed after ${strike.parts} parts` : `  ← ${strike.error.message}`;
    const isShown = kind !== "look" && kind !== "ask" && !name.endsWith("events.jsonl") && !process.isFollowing;
    if (isShown || strike !== undefined) this.#say(`${process.name}: ${name.replaceAll(`${this.paths.base}/`, "")}${mark}`);
    return strike;
  }

  /** Starts a process; `onEnd` is told its exit status, 137 when it was killed. */
  spawn(name: string, main: (process: MachineProcess) => Promise<number>, onEnd: (status: number) => void = () => {}): MachineProcess {
    const process = new MachineProcess(this, name);
    this.#processes.add(process);
    let status = KILLED;
    process.onDeath(() => {
      this.#processes.delete(process);
      if (status === KILLED && process !== this.unit.process && !process.isFollowing) this.killedInMidAsking += 1;
      onEnd(status);
    });
    const live = async (): Promise<void> => {
      try {
        status = await main(process);
      } catch (error) {
        const problem = asMillwrightError(error);
        this.#say(`${name} ends with ${problem.code}: ${problem.message}`);
        status = problem.exit;
      }
      process.kill();
    };
    void process.enter(live);
    return process;
  }

  /** Calls a verb of the agent as the gate would, from within a process. */
  async call(verb: Verb, words: readonly string[], who: string, payload?: unknown): Promise<unknown> {
    const deps = this.agent();
    const signal = new AbortController().signal;
    // Each verb has its own type of payload; what comes from outside is checked by the verb itself.
    const call = { payload: payload as never, who, events: silentEvents, signal };
    return (await callVerbHandler(verbTable(deps), verb, [...words], call)).result;
  }

  /** Lets somebody look at the machine, to whom nothing happens. */
  async look<T>(what: () => Promise<T>): Promise<T> {
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    const looker = this.spawn("looker", async (process) => {
      process.isFollowing = true;
      outcome = await what().then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      return 0;
    });
    await this.drive(() => looker.isDead);
    if (outcome === undefined) throw new Error("looking came to nothing");
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  agent(): AgentDeps {
    const shell: Shell = { run: async (words, options) => await this.#shell(words, String(options?.input ?? "")) };
    const random = (bytes: number): Uint8Array => {
      this.#serial += 1;
      const made = Buffer.alloc(Math.max(bytes, 4));
      made.writeUInt32BE(this.#serial, made.length - 4);
      return made.subarray(made.length - bytes);
    };
    return { root: "/", clock: processClock(this), shell, random, recipient: async () => undefined, hostName: "host" };
  }

  processes(): readonly MachineProcess[] {
    return [...this.#processes];
  }

  /** The power goes, and comes back. What had not reached the platter is there only in part. */
  losePower(random: Random): void {
    this.#goDown();
    this.disk.losePower(random);
    this.#bootLater();
  }

  /** Told to reboot: the unit is asked to stop, and all is written. */
  reboot(): void {
    for (const process of this.processes()) if (process !== this.unit.process) process.kill();
    this.unit.terminate(() => {
      this.#goDown();
      this.disk.syncAll();
      this.#bootLater();
    });
  }

  /** The engine's API is away for a while; its containers go on. */
  restartEngine(milliseconds: number): void {
    this.engine.isDown = true;
    const boot = this.#boot;
    this.clock.after(milliseconds, () => {
      if (boot === this.#boot) this.engine.isDown = false;
    });
  }

  /** Lets time pass until all is at rest, or until `isOver`. */
  async drive(isOver: () => boolean = () => false): Promise<void> {
    const began = this.clock.elapsed;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (isOver()) return;
      if (this.clock.elapsed - began > PATIENCE_MILLISECONDS) throw new Error("the machine does not come to rest");
      if (!this.clock.advance()) break;
    }
    const hanging = this.processes().map((process) => process.name);
    if (hanging.length > 0) throw new Error(`still waiting, for nothing: ${hanging.join(", ")}`);
  }

  /** Words of a call for a reader: a container's id becomes its name. */
  nameOf(words: readonly unknown[]): string {
    const named = words.map((word) => this.engine.containers.find(({ id }) => id === word)?.name ?? word);
    return named
      .flatMap((word) => (Array.isArray(word) ? (word as readonly unknown[]) : [word]))
      .filter((word) => typeof word === "string")
      .join(" ");
  }

  #say(text: string): void {
    this.trace.push(`${(this.clock.elapsed / 1000).toFixed(3)} ${text}`);
  }

  #goDown(): void {
    this.#boot += 1;
    this.isUp = false;
    this.unit.forget();
    for (const process of this.processes()) process.kill();
    this.sockets.clear();
    this.isRedirected = false;
    this.engine.goDown();
  }

  #bootLater(): void {
    const boot = this.#boot;
    this.clock.after(BOOT_MILLISECONDS, () => {
      // The power went once more.
      if (boot !== this.#boot) return;
      this.isUp = true;
      this.odoo.readRoutes();
      this.engine.comeUp();
      this.unit.start();
    });
  }

  async #shell(words: readonly string[], input: string): Promise<RunResult> {
    const [, action] = words;
    const caller = currentProcess();
    const result = await effect("unit", words.join(" "), () => {
      if (action === "start") this.unit.start();
      else if (action === "restart") this.unit.terminate(() => this.unit.start());
      else if (action === "show") return { code: 0, stdout: this.unit.properties, stderr: "" };
      else if (words[0] === "nft") this.isRedirected = input.includes("dnat");
      return { code: 0, stdout: "", stderr: "" };
    });
    if (action === "start" || action === "restart") {
      caller.isFollowing = true;
      if (caller.linkBreaks) caller.kill();
    }
    return result;
  }
}

/** The run's unit as systemd keeps it: see src/agent/run-unit.ts. */
class Unit {
  state: "inactive" | "running" | "waiting" | "failed" = "inactive";
  process: MachineProcess | undefined;
  /** What was known of the run each time that it was gone on with: the lines of the journal. */
  readonly starts: { readonly lock: string; readonly journal: string }[] = [];
  readonly #machine: Machine;
  #afterEnd: (() => void) | undefined;
  #cancel: () => void = () => {};

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** What `systemctl show` tells. */
  get properties(): string {
    const states = { inactive: "inactive", failed: "failed", running: "active", waiting: "activating" };
    return `ActiveState=${states[this.state]}\nSubState=${this.state === "waiting" ? "auto-restart" : "dead"}\n`;
  }

  start(): void {
    if (this.state === "running") return;
    this.#cancel();
    this.state = "inactive";
    const { disk, paths } = this.#machine;
    const lock = disk.text(paths.lock);
    // ConditionPathExists
    if (lock === undefined) return;
    this.starts.push({ lock, journal: disk.text(paths.journal) ?? "" });
    this.state = "running";
    const main = async (process: MachineProcess): Promise<number> => {
      const deps = this.#machine.agent();
      return await executeRun(storeOf(deps, STACK), runTables(deps), process.stop.signal);
    };
    this.process = this.#machine.spawn("run", main, (status) => this.#onEnd(status));
  }

  /** SIGTERM, and SIGKILL when that takes too long; then goes on with `next`. */
  terminate(next: () => void): void {
    const { process } = this;
    this.#cancel();
    if (this.state !== "running" || process === undefined) {
      this.state = "inactive";
      next();
      return;
    }
    this.#afterEnd = next;
    process.stop.abort(new MillwrightError("INTERRUPTED", "The run was told to stop."));
    this.#machine.clock.after(STOP_MILLISECONDS, () => process.kill());
  }

  /** The machine goes down. */
  forget(): void {
    this.#afterEnd = () => {};
    this.#cancel();
    this.process?.kill();
    this.#afterEnd = undefined;
    this.state = "inactive";
  }

  #onEnd(status: number): void {
    this.#machine.trace.push(`the unit ended with ${status}`);
    this.process = undefined;
    this.state = status === RUN_EXIT.failed ? "failed" : status === RUN_EXIT.ended ? "inactive" : "waiting";
    const next = this.#afterEnd;
    this.#afterEnd = undefined;
    if (next !== undefined) {
      this.state = "inactive";
      next();
    } else if (this.state === "waiting") this.#cancel = this.#machine.clock.after(RESTART_MILLISECONDS, () => this.start());
  }
}
