import { Listr, ListrLogger, ProcessOutput } from "listr2";
import type { MillwrightEvent } from "../kernel/events.ts";

/** Frames go to standard error: standard output is for results. */
const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) });

const rendererOptions = { collapseSubtasks: false, showErrorMessage: true, logger } as unknown as { readonly collapseSubtasks: boolean };

type Feed = () => Promise<MillwrightEvent | undefined>;

/**
 * Draws a run on a terminal from its events: one line a step, the latest probe or note under the step that is under way. listr2 only
 * draws; the run itself goes on at the host whatever happens here.
 */
export class LiveView {
  readonly #queue: MillwrightEvent[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  readonly #drawing: Promise<void>;

  constructor() {
    this.#drawing = this.#draw();
  }

  emit(event: MillwrightEvent): void {
    this.#queue.push(event);
    this.#wake?.();
  }

  /** Call when the verb has returned; resolves when the last frame is drawn. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    await this.#drawing;
  }

  readonly #next: Feed = async () => {
    while (this.#queue.length === 0) {
      if (this.#closed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#queue.shift();
  };

  async #draw(): Promise<void> {
    let event = await this.#next();
    while (event !== undefined && event.kind !== "plan") event = await this.#next();
    if (event === undefined) return;
    const { steps, purpose } = event;
    const undone: string[] = [];
    let ended: string | undefined;
    const forward = new Listr(
      [
        {
          title: purpose,
          task: (_context, parent) =>
            parent.newListr(
              steps.map((step) => ({
                title: step.title,
                task: async (_inner: unknown, task: { title: string; output: string }) => {
                  for (;;) {
                    const next = await this.#next();
                    if (next === undefined) throw new Error("the link ended");
                    if (next.kind === "ended") {
                      ended = next.summary;
                      return;
                    }
                    if (next.kind === "step" && next.state === "undoing") {
                      undone.push(next.title);
                      throw new Error("being undone");
                    }
                    if (next.kind === "step" && next.id === step.id) {
                      if (next.state === "failed") throw new Error(next.detail ?? "failed");
                      if (next.state === "done" || next.state === "skipped") {
                        if (next.detail !== undefined) task.title = `${step.title}: ${next.detail}`;
                        return;
                      }
                      continue;
                    }
                    const text = liveText(next);
                    if (text !== undefined) task.output = text;
                  }
                },
              })),
              { exitOnError: true },
            ),
        },
      ],
      { registerSignalListeners: false, exitOnError: true, rendererOptions },
    );
    try {
      await forward.run();
    } catch {
      // The failing step is drawn; the error itself reaches the user with the run's result.
      await this.#drawUndo(undone);
    }
    if (ended !== undefined) return;
    while ((await this.#next()) !== undefined);
  }

  async #drawUndo(first: readonly string[]): Promise<void> {
    let title = first[0];
    for (;;) {
      let event: MillwrightEvent | undefined;
      while (title === undefined) {
        event = await this.#next();
        if (event === undefined || event.kind === "ended") return;
        if (event.kind === "step" && event.state === "undoing") title = event.title;
      }
      const current = title;
      title = undefined;
      const list = new Listr(
        [
          {
            title: `Undo: ${current}`,
            task: async (_context, task) => {
              for (;;) {
                const next = await this.#next();
                if (next === undefined || (next.kind === "step" && next.state === "undone")) return;
                if (next.kind === "step" && next.state === "failed") throw new Error(next.detail ?? "failed");
                const text = liveText(next);
                if (text !== undefined) task.output = text;
              }
            },
          },
        ],
        { registerSignalListeners: false, rendererOptions },
      );
      try {
        await list.run();
      } catch {
        // The undo that failed is drawn; nothing is undone after it, and the error comes with the run's result.
        return;
      }
    }
  }
}

function liveText(event: MillwrightEvent): string | undefined {
  switch (event.kind) {
    case "note":
      return event.text;
    case "probe":
      return `${event.colour} ${event.name}: ${event.verdict}, ${event.detail}`;
    case "progress":
      return event.total === undefined ? `${event.done} ${event.unit}` : `${event.done} of ${event.total} ${event.unit}`;
    case "plan":
    case "step":
    case "ended":
      return undefined;
  }
}
