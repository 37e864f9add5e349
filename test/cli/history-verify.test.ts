import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openJournal } from "../../src/agent/journal-file.ts";
import { takeLock } from "../../src/agent/run-lock.ts";
import { journalVerb } from "../../src/agent/verbs/history.ts";
import { verifyHistory } from "../../src/cli/commands/history.ts";
import type { CommandResult } from "../../src/cli/output.ts";
import type { Target } from "../../src/cli/target.ts";
import { localCaller } from "../../src/remote/local-caller.ts";
import type { Environment } from "../../src/site/environment.ts";
import { siteFiles } from "../../src/site/site.ts";
import { type AgentHost, agentHost, STACK } from "../agent/agent-host.ts";

const RUN = "20261124-020000-0001";

class Operator implements AsyncDisposable {
  readonly host: AgentHost;
  readonly target: Target;

  constructor(host: AgentHost, directory: string) {
    this.host = host;
    const environment = { name: "test", stack: STACK, host: { address: "erp1.example" } } as Environment;
    this.target = { site: { directory, name: "acme", company: "Acme", environments: new Map(), files: siteFiles(directory) }, environment };
  }

  async verify(accept = false): Promise<CommandResult> {
    const caller = localCaller({ journal: journalVerb(this.host.deps) }, "jo");
    const link = { call: async (...of: Parameters<typeof caller.call>) => (await caller.call(...of)).result };
    return await verifyHistory(link, this.target, { accept, clock: this.host.deps.clock });
  }

  /** Does something on the host. */
  async work(...steps: readonly string[]): Promise<void> {
    await using journal = await openJournal(this.host.store.paths, RUN, "jo", this.host.deps.clock);
    for (const step of steps) await journal.append({ kind: "done", step, detail: {} });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.target.site.directory, { recursive: true });
    await this.host[Symbol.asyncDispose]();
  }
}

async function operator(): Promise<Operator> {
  const host = await agentHost();
  await takeLock(host.store.paths, { run: RUN, who: "jo", reason: "test", since: "2026-11-24T02:00:00.000Z", expires: "2026-11-24T04:00:00.000Z" });
  return new Operator(host, await mkdtemp(join(tmpdir(), "millwright-site-")));
}

describe("history verify", () => {
  it("says that the journal is whole, with its count and head", async () => {
    await using plant = await operator();
    await plant.work("a", "b", "c");
    const { data, text } = await plant.verify();
    expect(data).toMatchObject({ entries: 3, head: expect.stringMatching(/^[0-9a-f]{64}$/) as string, comparedWith: [] });
    expect(text).toContain("is whole: 3 entries");
  });

  it("knows the head again that it saw before, however far the journal has grown", async () => {
    await using plant = await operator();
    await plant.work("a", "b");
    await plant.verify();
    await plant.work("c");
    expect((await plant.verify()).text).toContain("it holds the head that this machine saw");
    expect(await readFile(plant.target.site.files.journalHeads, "utf8")).toContain('"entries": 3');
  });

  it("names the first entry that was changed, and remembers nothing of such a journal", async () => {
    await using plant = await operator();
    await plant.work("a", "b", "c");
    const { journal } = plant.host.store.paths;
    await writeFile(journal, (await readFile(journal, "utf8")).replace('"step":"b"', '"step":"x"'));
    await expect(plant.verify()).rejects.toMatchObject({
      code: "JOURNAL_BROKEN",
      exit: 7,
      subject: `${journal}:2`,
      message: expect.stringContaining("Entry 2") as string,
    });
    await expect(readFile(plant.target.site.files.journalHeads)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("finds a journal that was written anew from its beginning, until a person accepts it", async () => {
    await using plant = await operator();
    await plant.work("a", "b");
    await plant.verify();
    await rm(plant.host.store.paths.journal);
    await plant.work("x", "y", "z");
    await expect(plant.verify()).rejects.toMatchObject({
      code: "JOURNAL_BROKEN",
      exit: 7,
      message: expect.stringContaining("history was written anew") as string,
    });
    await plant.verify(true);
    expect((await plant.verify()).text).toContain("is whole: 3 entries");
  });

  it("finds that the last entries were cut off", async () => {
    await using plant = await operator();
    await plant.work("a", "b", "c");
    await plant.verify();
    const { journal } = plant.host.store.paths;
    await writeFile(journal, (await readFile(journal, "utf8")).split("\n").slice(0, 1).join("\n") + "\n");
    await expect(plant.verify()).rejects.toMatchObject({ code: "JOURNAL_BROKEN", message: expect.stringContaining("entries 2 to 3 are missing") as string });
  });

  it("of a host where nothing was done is no error", async () => {
    await using plant = await operator();
    expect((await plant.verify()).text).toContain("is empty");
  });
});
