import { MillwrightError } from "../kernel/errors.ts";
import type { Events, MillwrightEvent } from "../kernel/events.ts";
import { printable, printableJson } from "../kernel/printable.ts";
import { redact, redactValue, type Secret } from "../kernel/secret.ts";
import { VERSION } from "../kernel/version.ts";
import type { Paint } from "./describe-run.ts";
import { PlainLines } from "./plain-lines.ts";

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
  /** A secret that was asked for by name: printed as it is after everything else was masked. */
  readonly reveal?: Secret;
}

/** The only place that prints. Results go to stdout; progress, warnings and errors to stderr. */
export class Output {
  readonly mode: OutputMode;
  readonly #streams: Streams;
  readonly colour: boolean;
  readonly live: boolean;
  readonly debug: boolean;
  readonly #lines = new PlainLines();
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
    if (this.mode === "text") this.#streams.stderr.write(`${shown(text)}\n`);
  }

  warn(text: string): void {
    if (this.mode === "text") this.#streams.stderr.write(`${this.style("yellow", "Warning:")} ${shown(text)}\n`);
  }

  style(format: "bold" | "dim" | "red" | "green" | "yellow" | "blue", text: string): string {
    // Not imported, as in secret.ts: only a terminal needs it.
    return this.colour ? process.getBuiltinModule("node:util").styleText(format, text, { validateStream: false }) : text;
  }

  /** For what is drawn by others. */
  get paint(): Paint {
    return (format, text) => this.style(format, text);
  }

  /** Plain lines for people, JSON lines with --json-lines, with --json nothing but what a person has to act on. */
  events(): Events {
    return { emit: (event) => this.event(event) };
  }

  event(event: MillwrightEvent): void {
    if (this.mode === "json-lines") this.#json(event);
    // The run waits for a person, who must be told of it also where the one document comes only at the end.
    else if (this.mode === "text" || event.kind === "preview") this.#eventText(event);
  }

  /** That a step has begun is worth a line only when it takes a while. */
  #eventText(event: MillwrightEvent): void {
    const lines = this.#lines.of(event);
    const write = (): void => {
      for (const line of lines) this.#streams.stderr.write(`${shown(line)}\n`);
    };
    if (event.kind === "step" || event.kind === "ended") {
      clearTimeout(this.#pending);
      this.#pending = undefined;
    }
    if (event.kind === "step" && event.state === "begun") this.#pending = setTimeout(write, QUIET_MILLISECONDS).unref();
    else write();
  }

  result(command: string, { data, text, reveal }: CommandResult): void {
    if (this.mode === "text") {
      const written = reveal?.reveal() ?? shown(text);
      if (written !== "") this.#streams.stdout.write(`${written}\n`);
      return;
    }
    const masked = redactValue(data);
    const whole = reveal === undefined ? masked : { ...(masked as object), value: reveal.reveal() };
    this.#streams.stdout.write(`${printableJson({ version: VERSION, command, ok: true, data: whole })}\n`);
  }

  error(command: string, error: MillwrightError): void {
    if (this.mode !== "text") {
      const { code, message, subject, hint, details } = error;
      const body = { code, message, subject, hint, details: details.length > 0 ? details : undefined, exit: error.exit };
      this.#json({ version: VERSION, command, ok: false, error: body });
      return;
    }
    const lines = [`${this.style("red", "Error:")} ${printable(error.message)}`];
    if (error.subject !== undefined && !error.message.includes(error.subject)) lines.push(`  at ${printable(error.subject)}`);
    for (const detail of error.details) lines.push(`  ${printable(detail.length > DETAIL_LIMIT ? `${detail.slice(0, DETAIL_LIMIT)} …` : detail)}`);
    lines.push(`${this.style("bold", "Next:")} ${printable(error.hint)}`);
    lines.push(this.style("dim", `(${error.code}, exit ${error.exit})`));
    if (this.debug && error.stack !== undefined) lines.push(...[error.stack, ...causes(error)].map(printable));
    // As one text: a key that the details hold line by line is masked too.
    this.#streams.stderr.write(`${redact(lines.join("\n"))}\n`);
  }

  /** Masked text by text, before it is JSON: a mask across two of them would take the quotes between them along. */
  #json(document: object): void {
    this.#streams.stdout.write(`${printableJson(redactValue(document))}\n`);
  }
}

/** Text that may hold what a host, a container or a file said. */
function shown(text: string): string {
  return printable(redact(text));
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
