import { open } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { isMissing } from "../../kernel/durable-file.ts";
import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { verifyJournal } from "../journal-file.ts";
import { lastRuns } from "../last-runs.ts";
import type { Handler } from "../serve.ts";

const SHOWN_RUNS = 50;

/** The stack's last runs, and the head of its journal, which proves that earlier entries were not rewritten. */
export function historyVerb(deps: AgentDeps): Handler<"history"> {
  return async ({ args }) => {
    const { entries, head } = await verifyJournal(storeOf(deps, args.stack).paths.journal);
    return { result: { runs: lastRuns(entries, SHOWN_RUNS), entries: entries.length, head } };
  };
}

/** The journal itself, gzipped, after the result: who verifies it need not believe the host's own word. */
export function journalVerb(deps: AgentDeps): Handler<"journal"> {
  return async ({ args }) => {
    const path = storeOf(deps, args.stack).paths.journal;
    // A failing read destroys the body with its error, which is where it is told.
    return { result: { path }, body: pipeline(await readAll(path), createGzip(), () => {}) };
  };
}

async function readAll(path: string): Promise<Readable> {
  try {
    return (await open(path, "r")).createReadStream();
  } catch (error) {
    if (isMissing(error)) return Readable.from([]);
    throw error;
  }
}
