import { MillwrightError } from "../../../src/kernel/errors.ts";
import { STACK } from "../../deploy/fixture-stack.ts";
import type { Random } from "./disk.ts";
import type { Machine } from "./machine.ts";
import type { Move, Story, Timed, Victim } from "./story.ts";
import { type Answer, operate, type Operation } from "./operators.ts";
import type { EffectKind, MachineProcess, Strike } from "./process.ts";
import { machineWith } from "./site.ts";

const SETTLE_MILLISECONDS = 5000;

/** A story that has been played: the machine at rest afterwards. */
export interface Played {
  readonly machine: Machine;
  readonly answers: readonly Answer[];
  /** What each of those who came wanted, by name. */
  readonly asked: ReadonlyMap<string, Operation["do"]>;
  /** Why a person had to type `resume`, each time that it was so. */
  readonly resumes: readonly string[];
}

/** Plays a story to its end: all moves, then the machine mends what can mend itself, and comes to rest. */
export async function play(story: Story, watch: (machine: Machine) => void = () => {}): Promise<Played> {
  const machine = await machineWith(story.start);
  watch(machine);
  machine.odoo.jobMilliseconds = story.jobMilliseconds;
  machine.odoo.inFlight = story.inFlight;
  const script = new Script(machine, story.moves);
  machine.onEffect = (process, kind, name) => script.onEffect(process, kind, name);
  while (!script.isOver) {
    script.moveAtRest();
    await machine.drive();
  }
  script.end();
  await machine.drive();
  const resumes = await resumeWhereAsked(machine, script);
  // What was just started again comes up.
  machine.clock.after(SETTLE_MILLISECONDS, () => {});
  await machine.drive();
  return { machine, answers: script.answers, asked: script.asked, resumes };
}

/** A run that nothing works on any more waits for a person, as the tool says; everything else the machine does by itself. */
async function resumeWhereAsked(machine: Machine, script: Script): Promise<readonly string[]> {
  const reasons: string[] = [];
  while (machine.disk.find(machine.paths.lock) !== undefined && reasons.length < 3) {
    reasons.push(`the unit was ${machine.unit.state}`);
    machine.trace.push(`— a person types resume, since ${reasons.at(-1)}`);
    script.operate({ do: "resume" }, false);
    await machine.drive();
  }
  return reasons;
}

/** Lets a story's moves happen, each so many effects after the one before. */
class Script {
  readonly answers: Answer[] = [];
  readonly asked = new Map<string, Operation["do"]>();
  readonly #machine: Machine;
  readonly #moves: Timed[];
  #left: number;
  /** The place where the next move happens has been reached. */
  #isThere = false;
  /** Calls since an error was due. */
  #calls = 0;
  #people = 0;
  #fullFor: number | undefined;

  constructor(machine: Machine, moves: readonly Timed[]) {
    this.#machine = machine;
    this.#moves = [...moves];
    this.#left = 0;
  }

  get isOver(): boolean {
    return this.#moves.length === 0;
  }

  onEffect(process: MachineProcess, kind: EffectKind, name: string): Strike | undefined {
    if (process.isFollowing) return undefined;
    const isCall = kind === "docker" || kind === "ask";
    const isChange = kind !== "look" && kind !== "ask";
    if (isChange && this.#fullFor !== undefined && this.#fullFor-- <= 0) this.#endFullDisk();
    const [next] = this.#moves;
    if (next === undefined || !this.#isTime(next, isChange, isCall, name)) return undefined;
    this.#next();
    this.#machine.trace.push(`— ${JSON.stringify(next.move)}`);
    if (next.wait !== undefined) {
      this.#machine.clock.after(next.wait, () => this.#happen(next.move));
      return undefined;
    }
    if (next.move.do === "kill") return { kind: "kill", parts: next.move.parts };
    if (next.move.do === "error") {
      const { isDone, seconds } = next.move;
      const error = new MillwrightError("DOCKER_FAILED", seconds > 0 ? `${name} timed out` : `${name} failed`);
      return { kind: "error", isDone, milliseconds: seconds * 1000, error };
    }
    this.#happen(next.move);
    return undefined;
  }

  #isTime(next: Timed, isChange: boolean, isCall: boolean, name: string): boolean {
    if ("at" in next && !this.#isThere) {
      this.#isThere = name.includes(next.at);
      if (!this.#isThere) return false;
    } else if (this.#left > 0) {
      if (isChange) this.#left -= 1;
      return false;
    }
    // What fails is a call; everything else happens where something changes.
    if (next.move.do !== "error") return isChange;
    this.#calls += isCall ? 1 : 0;
    return isCall && this.#calls > next.move.calls;
  }

  /** The next move on a machine at rest. */
  moveAtRest(): void {
    const [next] = this.#moves;
    if (next === undefined) return;
    this.#next();
    this.#machine.trace.push(`— at rest: ${JSON.stringify(next.move)}`);
    this.#happen(next.move);
  }

  /** Whatever lasts, ends: there is room on the disk again. */
  end(): void {
    this.#endFullDisk();
  }

  operate(operation: Operation, linkBreaks: boolean): void {
    this.#people += 1;
    const who = `person ${this.#people}`;
    this.asked.set(who, operation.do);
    const process = operate(this.#machine, who, operation, (answer) => this.answers.push(answer));
    process.linkBreaks = linkBreaks;
  }

  #next(): void {
    this.#moves.shift();
    const [next] = this.#moves;
    this.#left = next !== undefined && "after" in next ? next.after : 0;
    this.#isThere = false;
    this.#calls = 0;
  }

  #endFullDisk(): void {
    this.#fullFor = undefined;
    this.#machine.disk.isFull = false;
  }

  #happen(move: Move): void {
    const machine = this.#machine;
    switch (move.do) {
      case "upgrade":
      case "rollback":
      case "deploy":
      case "resume":
      case "abort":
        if (machine.isUp) this.operate(move, move.linkBreaks);
        return;
      case "engine-restart":
        machine.restartEngine(move.seconds * 1000);
        return;
      case "crash":
        crash(machine, move.container, move.oomKilled);
        return;
      case "disk-full":
        machine.disk.isFull = true;
        this.#fullFor = move.effects;
        return;
      case "clock-jump":
        machine.clock.jump(move.seconds * 1000);
        return;
      case "power-cut":
        machine.losePower(dice(move.dice));
        return;
      case "reboot":
        machine.reboot();
        return;
      case "deaf":
        machine.odoo.isDeaf = true;
        return;
      case "kill":
        machine.unit.process?.kill();
        return;
      case "error":
        // Nothing is under way that it could befall.
        return;
    }
  }
}

function crash(machine: Machine, victim: Victim, oomKilled: boolean): void {
  const [colour, service] = victim.split("/");
  const container = service === undefined ? machine.engine.service(STACK, victim) : machine.engine.service(`${STACK}-${colour ?? ""}`, service);
  if (container !== undefined) machine.engine.crash(container, oomKilled);
}

/** The same numbers for the same seed (mulberry32). */
function dice(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
