import { appendFile, readFile, rm, truncate, writeFile } from "node:fs/promises";
import * as fc from "../properties.ts";
import { describe, expect, it } from "vitest";
import { CHAIN_START, readChain, sealEntry } from "../../src/agent/journal-chain.ts";
import { type JournalFile, openJournal, readJournalEnd, verifyJournal } from "../../src/agent/journal-file.ts";
import { takeLock } from "../../src/agent/run-lock.ts";
import type { JournalEntry } from "../../src/kernel/journal.ts";
import { Secret } from "../../src/kernel/secret.ts";
import { type AgentHost, agentHost } from "./agent-host.ts";

const RUN = "20261124-020000-0001";

async function lockedHost(run = RUN): Promise<AgentHost> {
  const host = await agentHost();
  await takeLock(host.store.paths, { run, who: "jo", reason: "test", since: "2026-11-24T02:00:00.000Z", expires: "2026-11-24T04:00:00.000Z" });
  return host;
}

const open = (host: AgentHost, run = RUN): Promise<JournalFile> => openJournal(host.store.paths, run, "jo", host.deps.clock);

async function written(host: AgentHost, steps: readonly string[]): Promise<Buffer> {
  await using journal = await open(host);
  for (const step of steps) await journal.append({ kind: "done", step, detail: { note: `did ${step}` } });
  return await readFile(host.store.paths.journal);
}

describe("the journal file", () => {
  it("chains each entry to the one before", async () => {
    await using host = await lockedHost();
    await written(host, ["a", "b", "c"]);
    const { entries, head } = await verifyJournal(host.store.paths.journal);
    expect(entries.map((entry) => [entry.seq, entry.step])).toEqual([
      [1, "a"],
      [2, "b"],
      [3, "c"],
    ]);
    expect(entries.map((entry) => entry.previous)).toEqual([CHAIN_START, entries[0]?.hash, entries[1]?.hash]);
    expect(head).toBe(entries[2]?.hash);
  });

  it("is empty before the first run", async () => {
    await using host = await agentHost();
    expect(await verifyJournal(host.store.paths.journal)).toMatchObject({ entries: [], head: CHAIN_START });
  });

  it("goes on with the chain when it is opened again, and gives a run its own entries only", async () => {
    await using host = await lockedHost();
    await written(host, ["a"]);
    await rm(host.store.paths.lock);
    await takeLock(host.store.paths, { run: "20261124-030000-0002", who: "jo", reason: "test", since: "", expires: "" });
    await using journal = await open(host, "20261124-030000-0002");
    await journal.append({ kind: "done", step: "b", detail: {} });
    expect((await journal.entries()).map((entry) => entry.step)).toEqual(["b"]);
    expect((await verifyJournal(host.store.paths.journal)).entries).toHaveLength(2);
  });

  it("is writable only for the run that holds the lock", async () => {
    await using host = await lockedHost();
    await expect(open(host, "20261124-030000-0002")).rejects.toThrow(/may not write the journal: the lock is held by run/);
    await rm(host.store.paths.lock);
    await expect(open(host)).rejects.toThrow(/the lock is free/);
  });

  it("cuts off a line that a crash tore, at whichever byte, and says so", async () => {
    await using host = await lockedHost();
    const bytes = await written(host, ["a", "b"]);
    const first = bytes.indexOf(10) + 1;
    for (let length = first + 1; length < bytes.length; length += 17) {
      await writeFile(host.store.paths.journal, bytes.subarray(0, length));
      await using journal = await open(host);
      const entries = await journal.entries();
      expect(entries.map((entry) => [entry.kind, entry.step])).toEqual([
        ["done", "a"],
        ["repaired", ""],
      ]);
      expect(entries[1]?.detail).toEqual({ cutOffBytes: length - first });
      await verifyJournal(host.store.paths.journal);
    }
  });

  it("takes a last line full of zeros, as a power cut leaves one, for torn", async () => {
    await using host = await lockedHost();
    await written(host, ["a"]);
    await appendFile(host.store.paths.journal, Buffer.concat([Buffer.alloc(300), Buffer.from('"}\n')]));
    await using journal = await open(host);
    expect((await journal.entries()).map((entry) => entry.kind)).toEqual(["done", "repaired"]);
  });

  it("leaves a torn line alone when it is only read, since a run may be writing it", async () => {
    await using host = await lockedHost();
    const bytes = await written(host, ["a", "b"]);
    await truncate(host.store.paths.journal, bytes.length - 5);
    expect((await verifyJournal(host.store.paths.journal)).entries).toHaveLength(1);
    expect(await readFile(host.store.paths.journal)).toHaveLength(bytes.length - 5);
  });

  it("is not appended to when an entry was changed, taken out or put in", async () => {
    await using host = await lockedHost();
    const text = (await written(host, ["a", "b", "c"])).toString();
    const [one, two, three] = text.trimEnd().split("\n");
    const tampered = [
      text.replace("did b", "did x"),
      `${one}\n${three}\n`,
      `${one}\n${two}\n${two}\n${three}\n`,
      `${two}\n${three}\n`,
      text.replace('"jo"', '"al"'),
      `${one}\nnot json\n${three}\n`,
      `${text}{}\n`,
    ];
    for (const changed of tampered) {
      await writeFile(host.store.paths.journal, changed);
      await expect(open(host)).rejects.toMatchObject({ code: "JOURNAL_BROKEN", subject: expect.stringMatching(/journal\.jsonl:[1-4]$/) });
      expect(await readFile(host.store.paths.journal, "utf8")).toBe(changed);
    }
  });

  it("refuses to go on when something else wrote to it meanwhile", async () => {
    await using host = await lockedHost();
    await using journal = await open(host);
    await journal.append({ kind: "begun", step: "a", detail: {} });
    await appendFile(host.store.paths.journal, "{}\n");
    await expect(journal.append({ kind: "done", step: "a", detail: {} })).rejects.toMatchObject({ code: "JOURNAL_BROKEN" });
  });

  it("holds no secret in plain text, and its hashes are of what stands there", async () => {
    await using host = await lockedHost();
    const secret = new Secret("very-secret-password");
    await using journal = await open(host);
    await journal.append({ kind: "failed", step: "a", detail: { message: `login with ${secret.reveal()}`, gone: undefined } });
    expect(await readFile(host.store.paths.journal, "utf8")).not.toContain("very-secret");
    await verifyJournal(host.store.paths.journal);
  });

  it("finds every change of a single byte", async () => {
    await using host = await lockedHost();
    const bytes = await written(host, ["a", "b", "c"]);
    const lastLine = bytes.lastIndexOf(10, bytes.length - 2) + 1;
    const whole = readChain(bytes, "j").head;
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ change;
        try {
          // A last line that is no entry any more counts as torn; then the head shows that it is gone.
          const { head, tornBytes } = readChain(changed, "j");
          expect(at >= lastLine - 1 && tornBytes > 0 && head !== whole).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: "JOURNAL_BROKEN" });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("a journal that was tampered with", () => {
  const FAULTS: readonly (readonly [what: string, change: (lines: string[]) => string[], line: number, said: RegExp])[] = [
    ["whose entry was changed", (lines) => lines.with(2, lines[2]?.replace("did c", "did x") ?? ""), 3, /^Entry 3 of the journal was changed/],
    ["that lacks an entry", (lines) => lines.toSpliced(2, 1), 3, /^Entry 3 of the journal is missing/],
    ["that lacks its beginning", (lines) => lines.slice(2), 1, /^Entries 1 to 2 of the journal are missing/],
    ["that lacks several", (lines) => lines.toSpliced(1, 3), 2, /^Entries 2 to 4 of the journal are missing/],
    [
      "with two entries in each other's place",
      (lines) => [...lines.slice(0, 1), ...lines.slice(1, 3).reverse(), ...lines.slice(3)],
      2,
      /^Entry 2 .* out of its order: entry 3 stands before it/,
    ],
    ["with an entry twice", (lines) => lines.toSpliced(3, 0, lines[1] ?? ""), 4, /^Entry 2 of the journal stands a second time, after entry 3/],
    ["with a line of something else", (lines) => lines.toSpliced(2, 0, "{}"), 3, /^Line 3 of the journal is no entry/],
  ];
  it.each(FAULTS)("%s is named by the first entry that does not fit", async (_what, change, line, said) => {
    await using host = await lockedHost();
    const lines = (await written(host, ["a", "b", "c", "d", "e"])).toString().trimEnd().split("\n");
    const broken = Buffer.from(`${change(lines).join("\n")}\n`);
    expect(() => readChain(broken, "journal.jsonl")).toThrow(
      expect.objectContaining({ code: "JOURNAL_BROKEN", exit: 7, subject: `journal.jsonl:${line}`, message: expect.stringMatching(said) }),
    );
  });

  it("by an entry of its own making, sealed and in its place, breaks at the next one", async () => {
    await using host = await lockedHost();
    const lines = (await written(host, ["a", "b", "c"])).toString().trimEnd().split("\n");
    const { hash: _hash, ...second } = JSON.parse(lines[1] ?? "") as JournalEntry;
    const forged = sealEntry({ ...second, who: "somebody else" });
    const broken = Buffer.from(`${lines.with(1, JSON.stringify(forged)).join("\n")}\n`);
    expect(() => readChain(broken, "j")).toThrow(/^Entry 3 of the journal does not continue the one before it/);
  });
});

/** A long journal, made without a disk. */
function chainOf(length: number): Buffer {
  const lines: string[] = [];
  let previous = CHAIN_START;
  for (let seq = 1; seq <= length; seq += 1) {
    const entry = sealEntry({
      seq,
      at: "2026-11-24T02:00:00.000Z",
      run: RUN,
      who: "jo",
      kind: "done",
      step: `step-${seq}`,
      detail: { note: `did step-${seq}` },
      previous,
    });
    previous = entry.hash;
    lines.push(JSON.stringify(entry));
  }
  return Buffer.from(`${lines.join("\n")}\n`);
}

describe("the end of a journal", () => {
  it("is all of a short one, with the number and hash of its last entry", async () => {
    await using host = await lockedHost();
    await written(host, ["a", "b"]);
    expect(await readJournalEnd(host.store.paths.journal)).toEqual(await verifyJournal(host.store.paths.journal));
  });

  it("is read and checked without what stands before it", async () => {
    await using host = await lockedHost();
    const bytes = chainOf(700);
    expect(bytes.length).toBeGreaterThan(200_000);
    // Torn out of the part that is not looked at: only a whole verification finds it.
    await writeFile(host.store.paths.journal, bytes.subarray(bytes.indexOf(10) + 1));
    const end = await readJournalEnd(host.store.paths.journal);
    expect(end.entries.length).toBeGreaterThan(100);
    expect(end.entries.length).toBeLessThan(600);
    expect(end.entries.at(-1)).toMatchObject({ seq: 700, hash: end.head });
    await expect(verifyJournal(host.store.paths.journal)).rejects.toThrow(/^Entry 1 of the journal is missing/);
  });

  it("is found broken where it is", async () => {
    await using host = await lockedHost();
    const bytes = chainOf(700);
    await writeFile(host.store.paths.journal, bytes.toString().replace("did step-690", "did step-960"));
    await expect(readJournalEnd(host.store.paths.journal)).rejects.toThrow(/^Entry 690 of the journal was changed/);
  });

  it("of a host without one is empty", async () => {
    await using host = await agentHost();
    expect(await readJournalEnd(host.store.paths.journal)).toMatchObject({ entries: [], head: CHAIN_START });
  });
});
