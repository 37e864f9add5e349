import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeDurable } from "../kernel/durable-file.ts";
import { LineFile } from "../kernel/line-file.ts";
import { readState } from "../kernel/read-state.ts";
import { redact, redactValue } from "../kernel/secret.ts";
import { type Traffic, trafficBetween } from "./metrics.ts";
import { type Baseline, baselineSchema, type SeriesLine } from "./series.ts";
import type { SwapContext } from "./swap-context.ts";

type Place = Pick<SwapContext, "paths" | "run">;

/** What was seen is kept beside the run. */
export function evidencePath({ paths, run }: Place, file: string): string {
  return join(paths.run(run), "evidence", file);
}

/** Writes `state/runs/<id>/evidence/<name>.json`. Returns the path. */
export async function writeEvidence(place: Place, name: string, data: unknown): Promise<string> {
  const path = evidencePath(place, `${name}.json`);
  await writeDurable(path, `${redact(JSON.stringify(data, null, 2))}\n`, { mode: 0o640 });
  return path;
}

export async function writeBaseline(place: Place, baseline: Baseline): Promise<string> {
  return await writeEvidence(place, "baseline", baseline);
}

/** How the old release did before the swap; undefined when nobody looked. */
export async function readBaseline(place: Place): Promise<Baseline | undefined> {
  return await readState(evidencePath(place, "baseline.json"), baselineSchema, "Without the file the bake compares with nothing: remove it.");
}

/** Where nobody remembers the minutes before the run, what the run itself saw of the old colour up to the time when users left it stands in. */
export function completed(baseline: Baseline | undefined, old: Traffic | undefined, until: number): Baseline | undefined {
  if (baseline === undefined || baseline.traffic !== undefined || baseline.reading === undefined || old === undefined) return baseline;
  return { ...baseline, traffic: trafficBetween(baseline.reading, old), seconds: (until - Date.parse(baseline.at)) / 1000 };
}

/** The series of a watch, open for appending: `series.jsonl` of a bake. */
export class SeriesFile implements Disposable {
  readonly path: string;
  readonly #file: LineFile;

  private constructor(path: string) {
    this.path = path;
    this.#file = new LineFile(path, 0o640);
  }

  static async open(place: Place, name: string): Promise<SeriesFile> {
    await mkdir(evidencePath(place, ""), { recursive: true });
    return new SeriesFile(evidencePath(place, `${name}.jsonl`));
  }

  append(line: SeriesLine): void {
    this.#file.append(JSON.stringify(redactValue(line)));
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
