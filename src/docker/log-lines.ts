/** A line of a container's log, with the instant that the engine took it in: RFC 3339 with nine digits, so that two compare as text. */
export interface LogLine {
  readonly at: string;
  readonly text: string;
}

const STAMPED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) ?(.*)$/s;

/** The lines of a log that the engine has stamped. */
export function stampedLines(text: string): readonly LogLine[] {
  const lines: LogLine[] = [];
  for (const line of text.split("\n")) {
    const match = STAMPED.exec(line);
    if (match !== null) lines.push({ at: match[1] ?? "", text: (match[2] ?? "").replace(/\r$/, "") });
  }
  return lines;
}

/** An instant as the engine's API takes it: seconds with nine digits. */
export function engineTime(at: string): string {
  const fraction = /\.(\d+)Z$/.exec(at)?.[1] ?? "";
  return `${Math.floor(Date.parse(at) / 1000)}.${fraction.padEnd(9, "0").slice(0, 9)}`;
}

/** An instant of a clock in the engine's form. */
export function stampOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace("Z", "000000Z");
}
