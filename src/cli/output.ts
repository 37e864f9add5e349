import { styleText } from "node:util";
import { MillwrightError } from "../kernel/errors.ts";
import type { Events, MillwrightEvent } from "../kernel/events.ts";
import { redact } from "../kernel/secret.ts";
import { VERSION } from "../kernel/version.ts";
import { eventLine } from "./event-line.ts";

/** A line from elsewhere may be a whole minified file. */
const DETAIL_LIMIT = 500;
const QUIET_MILLISECONDS = 1000;

export type OutputMode = "text" | "json" | "json-lines";

export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
}

/** What a command gives back: `data` for --json, `text` for people, `exit` when success has more than one status. */
export interface CommandResult {
  readonly data: unknown;
  readonly text: string;
  readonly exit?: number;
}

/** The only place that prints. Results go to stdout; progress, warnings and errors to stderr. */
export class Output {
  readonly mode: OutputMode;
  readonly #streams: Streams;
  readonly colour: boolean;
  readonly live: boolean;
  readonly debug: boolean;
  #pending: NodeJS.Timeout | undefined;

  constructor(options: { mode: OutputMode; streams: Streams; colour: boolean; live: boolean; debug: boolean }) {
    this.mode = options.mode;
    this.#streams = options.streams;
    this.colour = options.colour;
    this.live = options.live && options.mode === "text";
    this.debug = options.debug;
  }

  /** A line for people about what is going on; silent with --json. */
  say(text: string): void {
    if (this.mode === "text") this.#streams.stderr.write(`${redact(text)}\n`);
  }

  warn(text: string): void {
    if (this.mode === "text") this.#streams.stderr.write(`${this.style("yellow", "Warning:")} ${redact(text)}\n`);
  }

  style(format: "bold" | "dim" | "red" | "green" | "yellow" | "blue", text: string): string {
    return this.colour ? styleText(format, text, { validateStream: false }) : text;
  }

  /** Plain lines for people, JSON lines with --json-lines, nothing with --json. */
  events(): Events {
    return { emit: (event) => this.event(event) };
  }

  event(event: MillwrightEvent): void {
    if (this.mode === "json-lines") this.#streams.stdout.write(`${redact(JSON.stringify(event))}\n`);
    if (this.mode === "text") this.#eventText(event);
  }

  /** That a step has begun is worth a line only when it takes a while. */
  #eventText(event: MillwrightEvent): void {
    const write = (): void => {
      const line = eventLine(event);
      if (line !== undefined) this.#streams.stderr.write(`${redact(line)}\n`);
    };
    if (event.kind === "step" || event.kind === "ended") {
      clearTimeout(this.#pending);
      this.#pending = undefined;
    }
    if (event.kind === "step" && event.state === "begun") this.#pending = setTimeout(write, QUIET_MILLISECONDS).unref();
    else write();
  }

  result(command: string, result: CommandResult): void {
    if (this.mode === "text") {
      if (result.text !== "") this.#streams.stdout.write(`${redact(result.text)}\n`);
      return;
    }
    this.#streams.stdout.write(`${redact(JSON.stringify({ version: VERSION, command, ok: true, data: result.data }))}\n`);
  }

  error(command: string, error: MillwrightError): void {
    if (this.mode !== "text") {
      const { code, message, subject, hint, details } = error;
      const body = { code, message, subject, hint, details: details.length > 0 ? details : undefined, exit: error.exit };
      this.#streams.stdout.write(`${redact(JSON.stringify({ version: VERSION, command, ok: false, error: body }))}\n`);
      return;
    }
    const lines = [`${this.style("red", "Error:")} ${error.message}`];
    if (error.subject !== undefined && !error.message.includes(error.subject)) lines.push(`  at ${error.subject}`);
    for (const detail of error.details) lines.push(`  ${detail.length > DETAIL_LIMIT ? `${detail.slice(0, DETAIL_LIMIT)} …` : detail}`);
    if (error.hint !== undefined) lines.push(`${this.style("bold", "Next:")} ${error.hint}`);
    lines.push(this.style("dim", `(${error.code}, exit ${error.exit})`));
    if (this.debug && error.stack !== undefined) lines.push(error.stack, ...causes(error));
    this.#streams.stderr.write(`${redact(lines.join("\n"))}\n`);
  }
}

function causes(error: Error): string[] {
  return error.cause instanceof Error ? [`Caused by: ${error.cause.stack ?? error.cause.message}`, ...causes(error.cause)] : [];
}

/** Colour only if the stream is a terminal that wants it; NO_COLOR, FORCE_COLOR and --no-color have the last word. */
export function wantsColour(isTty: boolean, environment: Readonly<Record<string, string | undefined>>, noColour: boolean): boolean {
  if (noColour) return false;
  if (environment["FORCE_COLOR"]) return environment["FORCE_COLOR"] !== "0";
  return isTty && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
}
