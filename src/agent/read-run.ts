import { basename } from "node:path";
import * as z from "zod";
import { namesIn } from "../kernel/durable-file.ts";
import { timestamp } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { MillwrightEvent } from "../kernel/events.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { Plan } from "../kernel/plan.ts";
import { readPart } from "../kernel/read-part.ts";
import { VERSION } from "../kernel/version.ts";
import type { RunRecord } from "../observe/run-record.ts";
import { readJournalEnd, verifyJournal } from "./journal-file.ts";
import { parseEventLine } from "./run-events.ts";
import { listRuns, planOfRun, type RunStore } from "./run-store.ts";

/** What a run keeps has no bound, what travels has: together a few megabytes. */
const LIMITS = {
  eventBytes: 16 * 1024 * 1024,
  probes: 3000,
  seriesBytes: 4 * 1024 * 1024,
  lineBytes: 64 * 1024,
  rounds: 1500,
  fileBytes: 128 * 1024,
  evidenceBytes: 1024 * 1024,
};

type Surroundings = Pick<RunRecord, "host"> & { readonly [Key in "engine" | "stack"]: RunRecord[Key] | undefined };

/** Reads all that the host keeps of a run, whether it has ended or not. */
export async function readRun({ paths, clock }: RunStore, run: string, around: Surroundings): Promise<RunRecord> {
  const folder = paths.run(run);
  const leftOut: string[] = [];
  const plan = await planOfRun(paths, run);
  const [journal, events, evidence, series, stages] = await Promise.all([
    journalOf(paths.journal, run),
    readEvents(`${folder}/events.jsonl`, leftOut),
    readEvidence(`${folder}/evidence`, leftOut),
    readSeries(`${folder}/evidence/series.jsonl`, LIMITS.rounds, leftOut),
    readStages(`${folder}/evidence`, plan, leftOut),
  ]);
  const { engine, stack, host } = around;
  const begun = events.find((event) => event.kind === "plan");
  return {
    version: 1,
    at: timestamp(clock),
    host,
    run,
    who: journal.run[0]?.who ?? (begun?.kind === "plan" ? begun.who : ""),
    agent: VERSION,
    ...(engine === undefined ? {} : { engine }),
    plan,
    ...(stack === undefined ? {} : { stack }),
    events: [...events],
    journal,
    evidence: [...evidence],
    series: [...series],
    stages: [...stages],
    leftOut,
  };
}

/** The newest run that is a swap or a rollback. */
export async function lastSwapRun({ paths }: RunStore): Promise<string> {
  for (const run of [...(await listRuns(paths))].reverse()) {
    if (isSwap(await planOfRun(paths, run))) return run;
  }
  throw new MillwrightError("NO_RUN", "The host keeps no swap and no rollback.", {
    hint: "See `millwright history`; older runs than the last 50 are dropped.",
  });
}

export async function requireRun({ paths }: RunStore, run: string): Promise<string> {
  if ((await listRuns(paths)).includes(run)) return run;
  throw new MillwrightError("RUN_UNKNOWN", `The host keeps no run ${run}.`);
}

function isSwap({ kind }: Plan): boolean {
  return kind === "swap" || kind === "rollback";
}

/** The journal's end is enough for a run of late; an older one takes the whole. */
async function journalOf(path: string, run: string): Promise<RunRecord["journal"]> {
  try {
    const end = await readJournalEnd(path);
    const isThere = end.entries.some((entry) => entry.run === run && entry.kind === "run-begun");
    const { entries, head } = isThere ? end : await verifyJournal(path);
    return { entries: entries.at(-1)?.seq ?? 0, head, run: entries.filter((entry) => entry.run === run) };
  } catch (error) {
    if (!(error instanceof MillwrightError) || error.code !== "JOURNAL_BROKEN") throw error;
    return { entries: 0, head: "", problem: error.message, run: [] };
  }
}

/** Of the probes that passed, as many as a picture can show; all the rest is kept. */
async function readEvents(path: string, leftOut: string[]): Promise<readonly MillwrightEvent[]> {
  const { lines, cutBytes } = await readLines(path, LIMITS.eventBytes);
  if (cutBytes > 0) leftOut.push(`the first ${cutBytes} bytes of the events`);
  const events = lines.map(parseEventLine).filter((event) => event !== undefined);
  const isMany = (event: MillwrightEvent): boolean =>
    event.kind === "progress" || event.kind === "traffic" || (event.kind === "probe" && event.verdict === "pass");
  return thin(events, isMany, LIMITS.probes, "events of probes that passed, traffic and progress", leftOut);
}

/** The stages of a canary that were begun share what travels. */
async function readStages(folder: string, { steps }: Plan, leftOut: string[]): Promise<RunRecord["stages"]> {
  const stages = steps.filter(({ kind }) => kind === "canary");
  const rounds = Math.floor(LIMITS.rounds / Math.max(1, stages.length));
  const read = await Promise.all(
    stages.map(async ({ id }) => ({ step: id, series: [...(await readSeries(`${folder}/series-${id}.jsonl`, rounds, leftOut))] })),
  );
  return read.filter(({ series }) => series.length > 0);
}

async function readSeries(path: string, rounds: number, leftOut: string[]): Promise<readonly unknown[]> {
  const { lines, cutBytes } = await readLines(path, LIMITS.seriesBytes);
  const name = basename(path, ".jsonl");
  if (cutBytes > 0) leftOut.push(`${cutBytes} bytes of the rounds in ${name}`);
  // The first line says what the rest is of.
  const begin = cutBytes === 0 ? [] : (await readPart(path, "first", LIMITS.lineBytes)).bytes.toString("utf8").split("\n").slice(0, 1);
  const values = [...begin, ...lines].map(parseJson).filter((value) => value !== undefined);
  return thin(values, (value) => roundSchema.safeParse(value).success, rounds, `rounds of ${name}`, leftOut);
}

const roundSchema = z.object({ kind: z.literal("round") });

/** Leaves out of those that are many all but so many, at even distances; the first and the last stay. */
export function thin<T>(items: readonly T[], isMany: (item: T) => boolean, count: number, what: string, leftOut: string[]): readonly T[] {
  const many = items.filter(isMany);
  if (many.length <= count) return items;
  const step = (many.length - 1) / (count - 1);
  const kept = new Set(Array.from({ length: count }, (_, index) => many[Math.round(index * step)]));
  leftOut.push(`${many.length - kept.size} of ${many.length} ${what}`);
  return items.filter((item) => !isMany(item) || kept.has(item));
}

async function readEvidence(folder: string, leftOut: string[]): Promise<RunRecord["evidence"]> {
  const evidence: { name: string; text: string }[] = [];
  let bytes = 0;
  for (const name of [...(await namesIn(folder))].filter((file) => file.endsWith(".json")).sort()) {
    const { bytes: content, size } = await readPart(`${folder}/${name}`, "first", LIMITS.fileBytes);
    bytes += content.length;
    if (bytes > LIMITS.evidenceBytes) {
      leftOut.push(`evidence/${name}`);
      continue;
    }
    if (size > LIMITS.fileBytes) leftOut.push(`the end of evidence/${name}, which has ${size} bytes`);
    evidence.push({ name: name.replace(/\.json$/, ""), text: content.toString("utf8") });
  }
  return evidence;
}

/** The whole lines in the last bytes of a file; none when it is absent. */
async function readLines(path: string, limit: number): Promise<{ readonly lines: readonly string[]; readonly cutBytes: number }> {
  const { bytes, size } = await readPart(path, "last", limit);
  const lines = bytes.toString("utf8").split("\n");
  const cutBytes = size - bytes.length;
  return { lines: cutBytes > 0 ? lines.slice(1) : lines, cutBytes };
}
