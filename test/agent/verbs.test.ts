import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { verifyJournal } from "../../src/agent/journal-file.ts";
import type { ArgumentsOf } from "../../src/agent/arguments.ts";
import { readLock } from "../../src/agent/run-lock.ts";
import { markAbort } from "../../src/agent/run-store.ts";
import { bindTable, type RunTables } from "../../src/agent/run-table.ts";
import type { VerbCall } from "../../src/agent/serve.ts";
import { abortVerb } from "../../src/agent/verbs/abort.ts";
import { followVerb } from "../../src/agent/verbs/follow.ts";
import { helloVerb } from "../../src/agent/verbs/hello.ts";
import { historyVerb } from "../../src/agent/verbs/history.ts";
import { resumeVerb } from "../../src/agent/verbs/resume.ts";
import { startRunVerb } from "../../src/agent/verbs/start-run.ts";
import { closePreview, goSaidBy, openPreview, sayGo } from "../../src/swap/preview-file.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import type { MillwrightEvent } from "../../src/kernel/events.ts";
import { type AgentHost, agentHost, keep, planWith, STACK } from "./agent-host.ts";

type Quiet = "follow" | "resume" | "abort" | "history" | "hello" | "deploy";

function call<V extends Quiet>(args: ArgumentsOf<V>, said: MillwrightEvent[] = [], signal = new AbortController().signal): VerbCall<V> {
  return { args, payload: undefined as VerbCall<V>["payload"], who: "jo", events: { emit: (event) => void said.push(event) }, signal };
}

const deploy = (host: AgentHost, said?: MillwrightEvent[], signal?: AbortSignal): Promise<unknown> =>
  startRunVerb<"deploy">(host.deps, ["deploy"], async () => "basis-1")(call<"deploy">({ stack: STACK, plan: "plan-1" }, said, signal));

const tables = (b: () => Promise<void>, undo: () => Promise<void> = async () => {}): RunTables => ({
  deploy: async () => bindTable({ a: { do: async () => {} }, b: { do: b, undo } }, undefined),
});

const plan = planWith([{ id: "a" }, { id: "b", decision: true }]);
const states = (said: readonly MillwrightEvent[]): string[] => said.flatMap((event) => (event.kind === "step" ? [`${event.id} ${event.state}`] : []));

describe("starting a plan", () => {
  it("follows the run to its end and gives its result", async () => {
    await using host = await agentHost();
    host.tables = tables(async () => {});
    await keep(host, plan);
    const said: MillwrightEvent[] = [];
    expect(await deploy(host, said)).toMatchObject({ result: { outcome: "done", summary: "Try it" } });
    expect(states(said)).toEqual(["a begun", "a done", "b begun", "b done"]);
  });

  it("starts the unit of the stack without waiting for it", async () => {
    await using host = await agentHost();
    host.tables = tables(async () => {});
    await keep(host, plan);
    await deploy(host);
    expect(host.commands.slice(0, 2)).toEqual([
      `systemctl reset-failed millwright-run@${STACK}.service`,
      `systemctl restart --no-block millwright-run@${STACK}.service`,
    ]);
  });

  it("fails with the error of the run when that was undone", async () => {
    await using host = await agentHost();
    host.tables = tables(() => Promise.reject(new Error("broken")));
    await keep(host, plan);
    await expect(deploy(host)).rejects.toMatchObject({ code: "INTERNAL", message: "broken" });
  });

  it("says that the run is stalled when nothing works on it", async () => {
    await using host = await agentHost();
    await keep(host, plan);
    await expect(deploy(host)).rejects.toMatchObject({ code: "RUN_STALLED", hint: expect.stringContaining("millwright resume") });
    expect(await readLock(host.store.paths)).toBeDefined();
  });

  it("can be done again as soon as the end of the run before was told", async () => {
    await using host = await agentHost(systemClock);
    host.tables = tables(async () => {});
    await keep(host, plan);
    for (let index = 0; index < 5; index += 1) expect(await deploy(host)).toMatchObject({ result: { outcome: "done" } });
  });

  it("leaves the run to itself when its caller goes away", async () => {
    await using host = await agentHost();
    const gone = new AbortController();
    host.tables = tables(async () => gone.abort(new Error("gone")));
    await keep(host, plan);
    await expect(deploy(host, [], gone.signal)).rejects.toThrow("gone");
    expect(await host.ended()).toBe(0);
    expect((await verifyJournal(host.store.paths.journal)).entries.at(-1)).toMatchObject({ kind: "run-ended", detail: { outcome: "done" } });
  });
});

describe("follow", () => {
  it("tells the last run from its beginning after it has ended", async () => {
    await using host = await agentHost();
    host.tables = tables(async () => {});
    await keep(host, plan);
    await deploy(host);
    const said: MillwrightEvent[] = [];
    expect(await followVerb(host.deps)(call<"follow">({ stack: STACK }, said))).toMatchObject({ result: { outcome: "done" } });
    expect(said[0]).toMatchObject({ kind: "plan", who: "jo" });
    expect(said.at(-1)).toMatchObject({ kind: "ended" });
  });

  it("says so when there never was a run", async () => {
    await using host = await agentHost();
    await expect(followVerb(host.deps)(call<"follow">({ stack: STACK }))).rejects.toMatchObject({ code: "NO_RUN" });
  });
});

describe("resume", () => {
  it("goes on with a run that was cut off, and tells only what is new", async () => {
    await using host = await agentHost();
    await keep(host, plan);
    await expect(deploy(host)).rejects.toMatchObject({ code: "RUN_STALLED" });
    host.tables = tables(async () => {});
    const said: MillwrightEvent[] = [];
    expect(await resumeVerb(host.deps)(call<"resume">({ stack: STACK }, said))).toMatchObject({ result: { outcome: "done" } });
    expect(states(said)).toEqual(["a begun", "a done", "b begun", "b done"]);
  });

  it("tries again to undo what could not be undone", async () => {
    await using host = await agentHost();
    let isStuck = true;
    host.tables = tables(
      () => Promise.reject(new Error("broken")),
      async () => {
        if (isStuck) throw new Error("stuck");
      },
    );
    await keep(host, plan);
    await expect(deploy(host)).rejects.toMatchObject({ code: "UNDO_FAILED", exit: 7 });
    isStuck = false;
    const said: MillwrightEvent[] = [];
    await expect(resumeVerb(host.deps)(call<"resume">({ stack: STACK }, said))).rejects.toMatchObject({ message: expect.stringContaining("broken") });
    expect(states(said)).toContain("b undone");
    await host.ended();
    expect(await readLock(host.store.paths)).toBeUndefined();
  });

  it("does not wait for the moment at which systemd would try again by itself", async () => {
    await using host = await agentHost();
    await keep(host, plan);
    await expect(deploy(host)).rejects.toMatchObject({ code: "RUN_STALLED" });
    host.isWaiting = true;
    host.tables = tables(async () => {});
    expect(await resumeVerb(host.deps)(call<"resume">({ stack: STACK }))).toMatchObject({ result: { outcome: "done" } });
  });

  it("says so when there is nothing to go on with", async () => {
    await using host = await agentHost();
    await expect(resumeVerb(host.deps)(call<"resume">({ stack: STACK }))).rejects.toMatchObject({ code: "NO_RUN" });
  });
});

describe("a run that waits in its preview", () => {
  const OPEN = { since: "2026-11-24T02:00:00.000Z", until: "2026-11-24T04:00:00.000Z", link: "https://erp/millwright-preview/5ec2e7", header: "X: 5ec2e7" };
  const placeOf = async (host: AgentHost): Promise<string> => (await readLock(host.store.paths))?.run ?? "";

  /** Step b waits for a go, with or without an open preview; `isThere` tells when it does. */
  function waiting(host: AgentHost, open: typeof OPEN | undefined): { readonly isThere: () => Promise<void>; readonly finish: () => void } {
    const { paths } = host.store;
    const finished = new AbortController();
    let there = (): void => {};
    const isThere = new Promise<void>((resolve) => (there = resolve));
    host.tables = {
      deploy: async (_plan, { run, events }) =>
        bindTable(
          {
            a: { do: async () => {} },
            b: {
              do: async () => {
                if (open !== undefined) await openPreview(paths, run, open);
                events.emit({ kind: "preview", at: OPEN.since, id: "b", colour: "green", until: OPEN.until });
                there();
                while ((await goSaidBy(paths, run)) === undefined && !finished.signal.aborted) await host.deps.clock.sleep(1);
                await closePreview(paths, run);
              },
            },
          },
          undefined,
        ),
    };
    return { isThere: () => isThere, finish: () => finished.abort() };
  }

  it("goes on when somebody resumes it, who is written down", async () => {
    await using host = await agentHost();
    await keep(host, plan);
    const { isThere } = waiting(host, OPEN);
    const running = deploy(host);
    await isThere();
    const run = await placeOf(host);
    expect(await resumeVerb(host.deps)({ ...call<"resume">({ stack: STACK }), who: "maria" })).toMatchObject({ result: { outcome: "done" } });
    expect(await running).toMatchObject({ result: { outcome: "done" } });
    expect(await goSaidBy(host.store.paths, run)).toBe("maria");
  });

  it("is told from one that waits for nothing: there a resume is no go", async () => {
    await using host = await agentHost();
    await keep(host, plan);
    const { isThere, finish } = waiting(host, undefined);
    const running = deploy(host);
    await isThere();
    const run = await placeOf(host);
    const resuming = resumeVerb(host.deps)(call<"resume">({ stack: STACK }));
    for (let looks = 0; looks < 20; looks += 1) await host.deps.clock.sleep(1);
    expect(await goSaidBy(host.store.paths, run)).toBeUndefined();
    finish();
    expect(await Promise.all([running, resuming])).toMatchObject([{ result: { outcome: "done" } }, { result: { outcome: "done" } }]);
  });

  it("tells who follows what leads to it, as long as it does and in no file of events", async () => {
    await using host = await agentHost();
    await keep(host, plan);
    const { isThere } = waiting(host, OPEN);
    const said: MillwrightEvent[] = [];
    const running = deploy(host, said);
    await isThere();
    while (!said.some(({ kind }) => kind === "preview")) await host.deps.clock.sleep(1);
    expect(said.find(({ kind }) => kind === "preview")).toMatchObject({ link: OPEN.link, header: OPEN.header });
    const run = await placeOf(host);
    await sayGo(host.store.paths, run, "maria");
    await running;
    const late: MillwrightEvent[] = [];
    await followVerb(host.deps)(call<"follow">({ stack: STACK }, late));
    expect(late.find(({ kind }) => kind === "preview")).toEqual({ kind: "preview", at: OPEN.since, id: "b", colour: "green", until: OPEN.until });
    expect(await readFile(`${host.store.paths.run(run)}/events.jsonl`, "utf8")).not.toContain("5ec2e7");
  });

  it("is named as what holds the lock, with both ways out", async () => {
    await using host = await agentHost();
    await keep(host, plan);
    const { isThere, finish } = waiting(host, OPEN);
    const running = deploy(host);
    await isThere();
    const hint = "It waits in its preview for a person: `millwright resume` lets it go on, `millwright abort` takes it back.";
    await expect(deploy(host)).rejects.toMatchObject({ code: "LOCK_HELD", hint });
    finish();
    await running;
  });
});

describe("abort", () => {
  it("has a cut-off run undone and counts that as success", async () => {
    await using host = await agentHost();
    await keep(host, plan);
    await expect(deploy(host)).rejects.toMatchObject({ code: "RUN_STALLED" });
    host.tables = tables(async () => {});
    expect(await abortVerb(host.deps)(call<"abort">({ stack: STACK }))).toMatchObject({ result: { outcome: "undone" } });
  });

  it("says that it came too late when the run was done first", async () => {
    await using host = await agentHost();
    await keep(host, planWith([{ id: "b" }]));
    let finish = (): void => {};
    // The last step does not look at its signal, as one that is about to end does not.
    const waiting = new Promise<void>((resolve) => (finish = resolve));
    host.tables = tables(() => waiting);
    const running = deploy(host);
    await host.deps.clock.sleep(1);
    while ((await readFile(host.store.paths.journal, "utf8").catch(() => "")).includes('"begun"') === false) await host.deps.clock.sleep(1);
    const aborting = abortVerb(host.deps)(call<"abort">({ stack: STACK }));
    const [late] = await Promise.allSettled([aborting, running, markAborted(host).then(finish)]);
    expect(late).toMatchObject({ status: "rejected", reason: { code: "ABORT_LATE" } });
  });
});

async function markAborted(host: AgentHost): Promise<void> {
  const run = (await readLock(host.store.paths))?.run ?? "";
  await markAbort(host.store.paths, run, "jo");
}

describe("history", () => {
  it("gives the runs of the journal, newest first, with how they ended", async () => {
    await using host = await agentHost();
    await keep(host, plan);
    let isBroken = true;
    host.tables = tables(async () => {
      if (isBroken) throw new Error("broken");
    });
    await expect(deploy(host)).rejects.toThrow("broken");
    isBroken = false;
    await deploy(host);
    const { result } = await historyVerb(host.deps)(call<"history">({ stack: STACK }));
    expect(result).toMatchObject({
      runs: [
        {
          kind: "deploy",
          purpose: "Try it",
          who: "jo",
          outcome: "done",
          steps: [
            { id: "a", state: "done" },
            { id: "b", state: "done" },
          ],
        },
        { outcome: "undone", summary: "broken" },
      ],
      head: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it("shows a run that has not ended as open", async () => {
    await using host = await agentHost();
    await keep(host, plan);
    let finish = (): void => {};
    const waiting = new Promise<void>((resolve) => (finish = resolve));
    host.tables = tables(() => waiting);
    const running = deploy(host);
    while ((await verifyJournal(host.store.paths.journal)).entries.length < 4) await host.deps.clock.sleep(1);
    expect(await historyVerb(host.deps)(call<"history">({ stack: STACK }))).toMatchObject({ result: { runs: [{ outcome: "open" }] } });
    finish();
    await running;
  });

  it("is empty for a stack that the host does not know", async () => {
    await using host = await agentHost();
    expect(await historyVerb(host.deps)(call<"history">({ stack: "other-stack" }))).toMatchObject({ result: { runs: [], entries: 0 } });
  });
});

describe("hello", () => {
  it("names the agent, the host, its recipient and its stacks with their open runs", async () => {
    await using host = await agentHost();
    await keep(host, plan);
    await expect(deploy(host)).rejects.toMatchObject({ code: "RUN_STALLED" });
    const { result } = await helloVerb(host.deps)(call<"hello">({}));
    expect(result).toMatchObject({ host: "host", recipient: "age1test", stacks: [{ stack: STACK, open: { who: "jo", reason: "Try it" } }] });
  });
});
