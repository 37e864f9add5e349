/** One line of the table: a number of ours beside what it is compared with, both measured in this run. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly baseline: string;
  /** What the baseline is. */
  readonly against: string;
}

export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export function show(value: number | undefined, unit: string, digits = 0): string {
  return value === undefined || !Number.isFinite(value) ? "not measured" : `${value.toFixed(digits)} ${unit}`;
}

/** Does something some times over, one after the other. */
export async function repeat<T>(runs: number, once: (run: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let run = 0; run < runs; run += 1) results.push(await once(run));
  return results;
}

/** Seconds that a piece of work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

export function markdown(rows: readonly Row[]): string {
  const lines = [["what", "millwright", "baseline", "the baseline is"], ...rows.map((row) => [row.what, row.ours, row.baseline, row.against])];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  const draw = (line: readonly string[]): string => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [header = [], ...body] = lines;
  return [draw(header), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...body.map(draw)].join("\n");
}
