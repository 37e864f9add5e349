import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AgentDeps, storeOf } from "../../src/agent/agent-deps.ts";
import { executeRun } from "../../src/agent/execute-run.ts";
import { savePlan } from "../../src/agent/run-store.ts";
import type { RunTables } from "../../src/agent/run-table.ts";
import type { Clock } from "../../src/kernel/clock.ts";
import { type Plan, planSchema } from "../../src/kernel/plan.ts";
import type { RunResult, Shell } from "../../src/kernel/shell.ts";
import { FakeClock } from "../fakes/fake-clock.ts";

export const STACK = "acme-test";

/** A host in a temporary folder whose systemd runs the agent's run in this process. */
export class AgentHost implements AsyncDisposable {
  readonly deps: AgentDeps;
  readonly commands: string[] = [];
  /** Without it, `systemctl start` starts nothing: a unit that dies at once. */
  tables: RunTables | undefined;
  /** Makes systemd wait before it tries the unit again, as after a failure: a `start` then only waits with it. */
  isWaiting = false;
  readonly #root: string;
  #unit: Promise<number> | undefined;
  #isActive = false;
  stop = new AbortController();

  constructor(root: string, clock: Clock) {
    this.#root = root;
    const shell: Shell = { run: async (words) => this.#systemctl(words) };
    this.deps = { root, clock, shell, random: randomBytes, recipient: async () => "age1test", hostName: "host" };
  }

  get store(): ReturnType<typeof storeOf> {
    return storeOf(this.deps, STACK);
  }

  /** The status the unit ended with. */
  async ended(): Promise<number | undefined> {
    return await this.#unit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort(new Error("test over"));
    await this.#unit?.catch(() => undefined);
    await rm(this.#root, { recursive: true });
  }

  async #systemctl(words: readonly string[]): Promise<RunResult> {
    this.commands.push(words.join(" "));
    if (words[1] === "show") {
      const [active, sub] = this.isWaiting ? ["activating", "auto-restart"] : this.#isActive ? ["active", "running"] : ["inactive", "dead"];
      return { code: 0, stdout: `ActiveState=${active}\nSubState=${sub}\n`, stderr: "" };
    }
    const isStarted = words[1] === "restart" || (words[1] === "start" && !this.#isActive && !this.isWaiting);
    if (isStarted) this.isWaiting = false;
    if (isStarted && this.tables !== undefined) {
      const { tables } = this;
      const before = this.#unit ?? Promise.resolve(0);
      this.#isActive = true;
      const unit = before
        .catch(() => 1)
        .then(() => executeRun(this.store, tables, this.stop.signal))
        .finally(() => (this.#isActive = this.#unit !== unit));
      unit.catch(() => undefined);
      this.#unit = unit;
    }
    return { code: 0, stdout: "", stderr: "" };
  }
}

/** Time passes at once, but a process that waits for another one gives it a real moment: the start mutex and the disk are real here. */
class PatientClock extends FakeClock {
  override async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 10));
    await super.sleep(milliseconds, signal);
  }
}

export async function agentHost(clock: Clock = new PatientClock()): Promise<AgentHost> {
  const host = new AgentHost(await mkdtemp(join(tmpdir(), "millwright-agent-")), clock);
  await mkdir(host.store.paths.state, { recursive: true });
  return host;
}

export function planWith(steps: readonly (Partial<Plan["steps"][number]> & { readonly id: string })[], more: Partial<Plan> = {}): Plan {
  const full = steps.map((step) => ({ kind: step.id, title: `Do ${step.id}`, cause: "test", ...step }));
  return planSchema.parse({ version: 1, id: "plan-1", stack: STACK, kind: "deploy", purpose: "Try it", basis: "basis-1", steps: full, ...more });
}

/** Saves a plan on the host, so that a verb can start it. */
export async function keep(host: AgentHost, plan: Plan): Promise<Plan> {
  await savePlan(host.store, plan);
  return plan;
}
