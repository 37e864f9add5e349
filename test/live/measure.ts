import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { LoadOptions, LoadReport } from "./load.ts";
import type { Command, Outcome } from "./operator.ts";
import type { HostEvent, HostRun, Plant } from "./plant.ts";

/** A run under load, as the people at the front door and the host's own record saw it. */
export interface MeasuredRun {
  readonly outcome: Outcome;
  readonly report: LoadReport;
  readonly run: HostRun;
  /** From the run's first step to the end of its decision (the other colour has proven itself at the front door); undefined when it never came so far. */
  readonly swapSeconds: number | undefined;
  /** From the run's first step to its end. */
  readonly runSeconds: number;
  /** Of a run that went back by itself: from what spoke against it to its end. */
  readonly backSeconds: number | undefined;
  /** Highest memory of the agent's process on the host, in bytes. */
  readonly agentPeakBytes: number;
}

interface Options {
  /** As people see it: its lines go where the plant's lines go, and there is no JSON document. */
  readonly plain?: boolean;
  readonly load?: Partial<LoadOptions>;
  /** What is done to the plant while the command runs. */
  readonly meanwhile?: (command: Command) => Promise<void>;
}

/** Runs a command that makes a run (upgrade, rollback) under load, and measures it from both ends. */
export async function runUnderLoad(plant: Plant, words: readonly string[], options: Options = {}): Promise<MeasuredRun> {
  await using load = await plant.load(options.load);
  const agent = watchAgent(plant);
  const command = options.plain === true ? plant.startPlain(...words) : plant.start(...words);
  await options.meanwhile?.(command);
  const outcome = await command.done;
  const agentPeakBytes = await agent.stop();
  const report = await load.stop();
  const run = await plant.lastRun();
  const began = timeOf(run.events.find((event) => event.kind === "step"));
  const decision = run.steps.find((step) => step.decision === true)?.id;
  const decided = run.events.find((event) => event.kind === "step" && event.state === "done" && event.id === decision);
  const ended = timeOf(run.events.findLast((event) => event.kind === "ended"));
  const turned = run.events.find((event) => event.kind === "step" && (event.state === "failed" || event.state === "undoing"));
  return {
    outcome,
    report,
    run,
    backSeconds: turned === undefined ? undefined : (ended - timeOf(turned)) / 1000,
    swapSeconds: decided === undefined ? undefined : (timeOf(decided) - began) / 1000,
    runSeconds: (ended - began) / 1000,
    agentPeakBytes,
  };
}

/** Milliseconds from the moment a run had decided to go back until the last request that the bad colour was given at the front door. */
export function switchBackMilliseconds(measured: MeasuredRun, badColour: string): number | undefined {
  const decided = measured.run.events.find((event) => event.kind === "step" && event.state === "failed");
  const last = measured.report.colours[badColour]?.last;
  return decided === undefined || last === undefined ? undefined : Math.max(0, last - timeOf(decided));
}

/** The same load for some seconds in which nothing happens: what there is to compare with. */
export async function idleLoad(plant: Plant, seconds: number, options: Partial<LoadOptions> = {}): Promise<LoadReport> {
  await using load = await plant.load(options);
  await wait(seconds * 1000);
  return await load.stop();
}

function timeOf(event: HostEvent | undefined): number {
  return event === undefined ? Number.NaN : Date.parse(event.at);
}

/**
 * Reads the peak memory of the run's process over and over, since it is gone with the process: in one process on the host, which looks at each
 * process there a few times at most, because what is measured runs beside it. `UNIT FILE`; it ends when the file is there, and prints bytes.
 */
const WATCH_AGENT = `
const { existsSync, readdirSync, readFileSync, rmSync } = require("node:fs");
const [unit, stop] = process.argv.slice(1);
const read = (path) => { try { return readFileSync(path, "utf8"); } catch { return ""; } };
const looks = new Map();
let peak = 0;
const timer = setInterval(() => {
  for (const pid of readdirSync("/proc")) {
    if (!/^[0-9]+$/.test(pid)) continue;
    // A new process is moved to its unit after it has begun.
    const known = looks.get(pid) ?? { left: 3, isOfUnit: false };
    looks.set(pid, known);
    if (!known.isOfUnit && known.left > 0) Object.assign(known, { left: known.left - 1, isOfUnit: read("/proc/" + pid + "/cgroup").includes(unit) });
    if (!known.isOfUnit) continue;
    const [, peakKilobytes = "0"] = /^VmHWM:\\s*(\\d+) kB/m.exec(read("/proc/" + pid + "/status")) ?? [];
    peak = Math.max(peak, Number(peakKilobytes) * 1024);
  }
  if (!existsSync(stop)) return;
  clearInterval(timer);
  rmSync(stop);
  console.log(peak);
}, 200);
`;

function watchAgent(plant: Plant): { stop(): Promise<number> } {
  const stop = `/run/watched-${randomUUID()}`;
  const watching = plant.host.sh(["/opt/millwright/current/node", "-e", WATCH_AGENT, "--", `millwright-run@${plant.stack}.service`, stop]);
  return {
    stop: async () => {
      await plant.host.sh(["touch", stop]);
      return Number((await watching).stdout);
    },
  };
}
