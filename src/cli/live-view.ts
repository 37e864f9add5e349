import { Listr, ListrLogger, type ListrTask, ProcessOutput } from "listr2";
import type { Clock } from "../kernel/clock.ts";
import type { MillwrightEvent } from "../kernel/events.ts";
import { printableValue } from "../kernel/printable.ts";
import { redactValue } from "../kernel/secret.ts";
import { describeRun, type Paint } from "./describe-run.ts";
import { advance, NOTHING_SEEN, type RunView, type StepView } from "./run-view.ts";

/** Frames go to standard error: standard output is for results. */
const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) });

const OPTIONS = {
  // The lines about the run are a task beside the one that they are about.
  concurrent: true,
  exitOnError: false,
  registerSignalListeners: false,
  rendererOptions: { collapseSubtasks: false, showErrorMessage: true, logger } as unknown as { readonly collapseSubtasks: boolean },
} as const;

const TICK_MILLISECONDS = 1000;

/**
 * Draws a run on a terminal from its events: one line a step, and below them what it does now and what comes next. listr2 only draws; the
 * run itself goes on at the host whatever happens here.
 */
export class LiveView {
  readonly #paint: Paint;
  readonly #clock: Pick<Clock, "now">;
  readonly #renderer: "default" | "silent";
  #view: RunView = NOTHING_SEEN;
  #isClosed = false;
  /** Woken by each event and each second. */
  readonly #waiting = new Set<() => void>();
  readonly #tick: NodeJS.Timeout;
  readonly #drawing: Promise<void>;

  constructor(paint: Paint, clock: Pick<Clock, "now">, renderer: "default" | "silent" = "default") {
    this.#paint = paint;
    this.#clock = clock;
    this.#renderer = renderer;
    this.#tick = setInterval(() => this.#wake(), TICK_MILLISECONDS);
    this.#drawing = this.#draw();
  }

  emit(event: MillwrightEvent): void {
    this.#view = advance(this.#view, printableValue(redactValue(event) as MillwrightEvent), this.#clock.now());
    this.#wake();
  }

  /** Call when the verb has returned; resolves when the last frame is drawn. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake();
    await this.#drawing;
    clearInterval(this.#tick);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Resolves as soon as that holds of the view, or nothing more will come. */
  async #until(holds: (view: RunView) => boolean): Promise<void> {
    while (!holds(this.#view) && this.#view.ended === undefined && !this.#isClosed) await this.#woken();
  }

  async #woken(): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
    });
  }

  async #draw(): Promise<void> {
    await this.#until(({ plan }) => plan !== undefined);
    const { plan, steps } = this.#view;
    if (plan === undefined) return;
    const forward = steps.map(({ id }) => this.#forward(id));
    await this.#drawTask({ title: plan.purpose, task: (_, parent) => parent.newListr(forward, { concurrent: false }) }, isGoneForward);
    for (let index = 0; ; index += 1) {
      await this.#until(({ undos }) => undos.length > index);
      const id = this.#view.undos[index];
      if (id === undefined) return;
      await this.#drawTask(this.#back(id), (view) => stepOf(view, id)?.undo !== "undoing");
    }
  }

  /** Draws a task with the lines about the run below it, as long as it goes on. */
  async #drawTask(task: ListrTask, isOver: (view: RunView) => boolean): Promise<void> {
    const below: ListrTask = {
      task: async (_, wrapper) => {
        while (!isOver(this.#view) && this.#view.ended === undefined && !this.#isClosed) {
          wrapper.output = describeRun(this.#view, this.#clock.now(), this.#paint).join("\n");
          await this.#woken();
        }
      },
    };
    await new Listr([task, below], { ...OPTIONS, renderer: this.#renderer }).run();
  }

  #forward(id: string): ListrTask {
    const title = stepOf(this.#view, id)?.title ?? id;
    return {
      title,
      task: async (_, wrapper) => {
        await this.#until((view) => view.undos.length > 0 || hasEnded(stepOf(view, id)));
        const { state, detail } = stepOf(this.#view, id) ?? {};
        if (state === "waiting") wrapper.skip(`${title}: not begun`);
        else if (state !== "done") throw new Error(`${title}: ${state === "failed" ? (detail ?? "failed") : "not ended"}`);
        else if (detail !== undefined) wrapper.title = `${title}: ${detail}`;
      },
    };
  }

  #back(id: string): ListrTask {
    const title = `Undo: ${stepOf(this.#view, id)?.title ?? id}`;
    return {
      title,
      task: async () => {
        await this.#until((view) => stepOf(view, id)?.undo !== "undoing");
        const { undo, detail } = stepOf(this.#view, id) ?? {};
        if (undo !== "undone") throw new Error(`${title}: ${undo === "failed" ? (detail ?? "failed") : "not ended"}`);
      },
    };
  }
}

function stepOf({ steps }: RunView, id: string): StepView | undefined {
  return steps.find((step) => step.id === id);
}

function hasEnded(step: StepView | undefined): boolean {
  return step?.state === "done" || step?.state === "failed";
}

/** Nothing of the plan is to come: all is done, or the run goes back. */
function isGoneForward({ steps, undos }: RunView): boolean {
  return undos.length > 0 || steps.every(hasEnded);
}
