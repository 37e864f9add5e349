import "./simulated.ts";
import * as fc from "../../properties.ts";
import { describe, expect, it } from "vitest";
import { expectWhole } from "./expect-whole.ts";
import type { Rest } from "./rest.ts";
import { abortedCanaries, previews, type PreviewStory, stories, undisturbed } from "./stories.ts";

/**
 * The agent's own code on a machine of which every part may fail: see story.ts for what can happen, invariants/ for what must hold, and
 * simulated.ts for what is not real. MILLWRIGHT_MODEL_RUNS makes it longer.
 */
const runs = Number(process.env["MILLWRIGHT_MODEL_RUNS"] ?? 80);

const outcomesOf = (rest: Rest): readonly unknown[] => rest.journal.filter((entry) => entry.kind === "run-ended").map((entry) => entry.detail["outcome"]);

describe("a machine to which anything may happen in mid swap", { timeout: 0 }, () => {
  it("ends with one release that serves, whole, and a journal that says why", async () => {
    const seen = new Set<unknown>();
    const property = fc.asyncProperty(stories, async (story) => {
      for (const outcome of outcomesOf(await expectWhole(story))) seen.add(outcome);
    });
    await fc.assert(property, { numRuns: runs });
    expect(seen).toEqual(new Set(["done", "undone"]));
  });
});

describe("a person who aborts", { timeout: 0 }, () => {
  it("gets the old release back, before the decision and after it, or is told that it was too late", async () => {
    const seen = new Set<string>();
    const property = fc.asyncProperty(undisturbed("abort"), async (story) => {
      const rest = await expectWhole(story);
      const answer = rest.answers.find(({ operation }) => operation.do === "abort");
      const isBack = rest.serving?.release === "2026-11-24-1";
      const isDecided = rest.journal.some((entry) => entry.run === rest.journal.at(-1)?.run && entry.step === "front" && entry.kind === "done");
      seen.add(`${answer?.error?.code ?? "undone"}${isDecided ? " after the decision" : ""}`);
      expect([answer?.error?.code ?? "undone", isBack]).toEqual([expect.stringMatching(isBack ? /^undone$/ : /^(ABORT_LATE|NO_RUN)$/), isBack]);
    });
    await fc.assert(property, { numRuns: Math.ceil(runs / 4) });
    expect([...seen]).toEqual(expect.arrayContaining(["undone", "undone after the decision"]));
  });
});

describe("a person who aborts a canary", { timeout: 0 }, () => {
  it("finds everybody on the old release, whatever the stage, or is told that it was too late", async () => {
    const seen = new Set<string>();
    const property = fc.asyncProperty(abortedCanaries, async (story) => {
      // That the routes name the colour that serves alone is among what must hold.
      const { serving, answers, journal } = await expectWhole(story);
      const isBack = serving?.release === "2026-11-24-2";
      const stages = journal.filter(({ run, kind, step }) => run === journal.at(-1)?.run && kind === "undone" && step.startsWith("canary-"));
      seen.add(isBack ? `back from ${stages.length} stages` : (answers.find(({ operation }) => operation.do === "abort")?.error?.code ?? "undone"));
    });
    await fc.assert(property, { numRuns: Math.ceil(runs / 4) });
    expect([...seen]).toEqual(expect.arrayContaining(["back from 1 stages", "back from 2 stages"]));
    expect(seen).not.toContain("undone");
  });
});

describe("a preview", { timeout: 0 }, () => {
  const ENDS: Readonly<Record<PreviewStory["ending"], string>> = {
    go: "done",
    "go of somebody who does not stay": "done",
    abort: "ABORTED",
    silence: "PREVIEW_EXPIRED",
    kill: "ABORTED",
    "power cut": "ABORTED",
    "end of the release": "RELEASE_UNHEALTHY",
  };

  it("brings the new release by a person's go alone: an abort, silence, a cut and its own end bring the old one back", async () => {
    const seen = new Set<string>();
    const property = fc.asyncProperty(previews, async ({ ending, story }) => {
      const { serving, journal } = await expectWhole(story);
      const detail = journal.at(-1)?.detail as { readonly error?: { readonly code: string } } | undefined;
      seen.add(ending);
      expect([detail?.error?.code ?? "done", serving?.release === "2026-11-24-3"]).toEqual([ENDS[ending], ENDS[ending] === "done"]);
    });
    await fc.assert(property, { numRuns: Math.ceil(runs / 3) });
    expect(seen).toEqual(new Set(Object.keys(ENDS)));
  });
});

describe("a second operator", { timeout: 0 }, () => {
  it("is refused with who, since when and why while a run is open, and changes nothing", async () => {
    let refused = 0;
    const property = fc.asyncProperty(undisturbed("upgrade"), async (story) => {
      const { answers, serving } = await expectWhole(story);
      const second = answers.find(({ who }) => who === "person 2");
      if (second?.error?.code === "LOCK_HELD") refused += 1;
      else expect(second?.error?.code ?? "done").toMatch(/^(done|PLAN_STALE)$/);
      expect(serving?.release).toBe(second?.error === undefined ? "2026-11-24-3" : "2026-11-24-2");
    });
    await fc.assert(property, { numRuns: Math.ceil(runs / 4) });
    expect(refused).toBeGreaterThan(0);
  });
});
