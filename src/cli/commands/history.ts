import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import * as z from "zod";
import { type JournalContent, readChain } from "../../agent/journal-chain.ts";
import { type Clock, timestamp } from "../../kernel/clock.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import { findContradiction, withHead } from "../../observe/seen-heads.ts";
import { type HostLink, openLink } from "../host-link.ts";
import { noteHead, readSeenHeads, writeSeenHeads } from "../journal-heads.ts";
import type { CommandResult } from "../output.ts";
import type { Run } from "../program.ts";
import { table } from "../table.ts";
import { type EnvironmentOption, loadTarget, type Target } from "../target.ts";

const historySchema = z.object({
  runs: z.array(
    z
      .object({ run: z.string(), kind: z.string(), purpose: z.string(), who: z.string(), began: z.string(), ended: z.string().optional(), outcome: z.string() })
      .loose(),
  ),
  entries: z.number(),
  head: z.string(),
});

export const historyCommand: Run<EnvironmentOption> = async (options, context) => {
  const target = await loadTarget(options, context);
  await using link = await openLink(target, options, context);
  const history = historySchema.parse(await link.call("history", [target.environment.stack]));
  const rows = history.runs.map((run) => [run.began.replace("T", " ").slice(0, 19), run.run, run.kind, run.outcome, run.who, run.purpose]);
  const contradiction = await noteHead(target, history, context);
  if (contradiction !== undefined) context.output.warn(contradiction);
  const text = rows.length === 0 ? "Nothing was done on this stack yet." : table(["began (UTC)", "run", "kind", "outcome", "who", "what"], rows);
  return { data: history, text: `${text}\n\nThe journal's ${history.entries} entries are unbroken; its head is ${history.head.slice(0, 16)}.` };
};

/** Far above what a plant's journal grows to in its life: a host must not fill this machine's memory. */
const JOURNAL_LIMIT = 256 * 1024 * 1024;

interface VerifyOptions extends EnvironmentOption {
  readonly accept?: boolean;
}

export const historyVerifyCommand: Run<VerifyOptions> = async (options, context) => {
  const target = await loadTarget(options, context);
  await using link = await openLink(target, options, context);
  return await verifyHistory(link, target, { accept: options.accept === true, clock: context.clock });
};

/** Walks the host's journal on this machine, entry by entry, and holds it against the heads that this machine has seen before. */
export async function verifyHistory(
  link: Pick<HostLink, "call">,
  target: Target,
  { accept, clock }: { readonly accept: boolean; readonly clock: Clock },
): Promise<CommandResult> {
  const { stack, host } = target.environment;
  const { entries, head, tornBytes } = await readJournal(link, stack);
  const seen = accept ? [] : await readSeenHeads(target);
  const contradiction = findContradiction(seen, { entries: entries.length, hashAt: (entry) => entries[entry - 1]?.hash });
  if (contradiction !== undefined) {
    throw new MillwrightError("JOURNAL_BROKEN", `${contradiction}.`, {
      subject: host.address,
      hint: "Find out why: a host that was set up anew has a new journal. Then take it as it is: millwright history verify --accept",
    });
  }
  if (entries.length > 0) await writeSeenHeads(target, withHead(seen, { entries: entries.length, head, at: timestamp(clock) }, true));
  const lines = [
    entries.length === 0 ? `The journal of ${stack} is empty.` : `The journal of ${stack} is whole: ${entries.length} entries, each continues the one before.`,
    `head  ${head}`,
    seen.length === 0
      ? "seen  nothing to compare with yet: from now on this machine knows when history was rewritten"
      : `seen  it holds ${seen.length === 1 ? "the head" : `all ${seen.length} heads`} that this machine saw, the first at ${seen[0]?.at}`,
    ...(tornBytes === 0 ? [] : [`torn  ${tornBytes} bytes of a line that was being written: the next run cuts them off and says so`]),
  ];
  return { data: { entries: entries.length, head, tornBytes, comparedWith: seen }, text: lines.join("\n") };
}

async function readJournal(link: Pick<HostLink, "call">, stack: string): Promise<JournalContent> {
  const body = new PassThrough();
  const chunks: Buffer[] = [];
  const collect = async (source: AsyncIterable<Buffer>): Promise<void> => {
    let size = 0;
    for await (const chunk of source) {
      size += chunk.length;
      if (size > JOURNAL_LIMIT) throw new MillwrightError("JOURNAL_BROKEN", `The journal is bigger than ${JOURNAL_LIMIT / 1024 / 1024} MiB.`);
      chunks.push(chunk);
    }
  };
  const [result] = await Promise.all([link.call("journal", [stack], { body }), pipeline(body, createGunzip(), collect)]);
  return readChain(Buffer.concat(chunks), journalSchema.parse(result).path);
}

const journalSchema = z.object({ path: z.string() });
