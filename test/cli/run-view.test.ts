import { describe, expect, it } from "vitest";
import { describeRun } from "../../src/cli/describe-run.ts";
import { PlainLines } from "../../src/cli/plain-lines.ts";
import { advance, NOTHING_SEEN, type RunView, usersOn } from "../../src/cli/run-view.ts";
import type { MillwrightEvent } from "../../src/kernel/events.ts";

const START = Date.parse("2026-11-24T02:00:00.000Z");
const at = (second: number): string => new Date(START + second * 1000).toISOString();
type State = Extract<MillwrightEvent, { kind: "step" }>["state"];

const PLAN: MillwrightEvent = {
  kind: "plan",
  at: at(0),
  run: "r",
  purpose: "Swap from 1 (blue) to 2 (green).",
  who: "jo",
  steps: ["up", "switch", "bake", "confirm"].map((id) => ({ id, title: `Do ${id}` })),
  swap: { from: { colour: "blue", release: "1" }, to: { colour: "green", release: "2" } },
};
const step = (second: number, id: string, state: State, detail?: string): MillwrightEvent => ({
  kind: "step",
  at: at(second),
  id,
  title: `Do ${id}`,
  state,
  ...(detail === undefined ? {} : { detail }),
});
const probe = (second: number, name: string, verdict: "pass" | "fail", colour: "blue" | "green" = "green"): MillwrightEvent => ({
  kind: "probe",
  at: at(second),
  colour,
  name,
  verdict,
  detail: verdict === "pass" ? "fine" : `${name} answered 500`,
  milliseconds: 5,
});
const bake = (second: number, done: number): MillwrightEvent => ({ kind: "progress", at: at(second), id: "bake", done, total: 60, unit: "seconds" });
const traffic = (second: number, errors = 0): MillwrightEvent => ({
  kind: "traffic",
  at: at(second),
  now: { colour: "green", seconds: 12, requests: 80, errors, p95Milliseconds: 210 },
  before: { colour: "blue", seconds: 600, requests: 3000, errors: 2, p95Milliseconds: 190 },
});
const SWITCHED = [PLAN, step(1, "up", "begun"), step(5, "up", "done"), step(5, "switch", "begun"), step(6, "switch", "done"), step(6, "bake", "begun")];

const seen = (...events: readonly MillwrightEvent[]): RunView => events.reduce((view, event) => advance(view, event, Date.parse(event.at)), NOTHING_SEEN);
const shown = (second: number, ...events: readonly MillwrightEvent[]): readonly string[] => describeRun(seen(...events), START + second * 1000);

describe("what a live view shows of a swap", () => {
  it("before the switch: the old colour has the users, and what comes next", () => {
    expect(shown(2, PLAN, step(1, "up", "begun"), probe(1, "login page", "pass", "blue"))).toEqual([
      "users    ● blue 1 has the users   ○ green 2",
      "probes   blue: 1 of 1 pass",
      "next     Do switch",
      "         Ctrl-C leaves, the run goes on: millwright follow. It is undone by: millwright abort",
    ]);
  });

  it("in a bake that has had its time: by how much it may be longer, and why, as plain lines too", () => {
    const longer = { done: 1, total: 60, why: "assets failed 1 of 6 times" };
    const event: MillwrightEvent = { kind: "progress", at: at(67), id: "bake", done: 60, total: 60, unit: "seconds", longer };
    expect(shown(70, ...SWITCHED, event)).toContain("bake     60 of 60 s, longer by up to 60 s, 4 s so far: assets failed 1 of 6 times");
    const plain = new PlainLines();
    const lines = [...SWITCHED, event].flatMap((one) => plain.of(one));
    expect(lines.join("\n")).toContain("bake 60 of 60 s, longer by up to 60 s, 1 s so far: assets failed 1 of 6 times");
  });

  it("in the bake: probes, traffic of both colours, a countdown that goes on between two words of the host", () => {
    expect(shown(21, ...SWITCHED, probe(18, "login page", "pass"), probe(18, "assets", "pass"), traffic(18), bake(18, 12))).toEqual([
      "users    ○ blue 1   ● green 2 has the users",
      "probes   green: 2 of 2 pass",
      "traffic  green: 80 requests in 12 s since the switch, none failed, 95 of 100 within 210 ms",
      "         blue: 3000 requests in 10 min 0 s before it, 2 failed, 95 of 100 within 190 ms",
      "bake     ██████░░░░░░░░░░░░░░░░░░ 15 of 60 s, 45 s left",
      "next     Do confirm",
      "         Ctrl-C leaves, the run goes on: millwright follow. It is undone by: millwright abort",
    ]);
  });

  describe("with a canary", () => {
    const steps = ["up", "canary-1", "canary-10", "switch", "bake"].map((id) => ({ id, title: `Do ${id}` }));
    const stage: readonly MillwrightEvent[] = [{ ...PLAN, steps }, step(1, "canary-1", "begun"), step(9, "canary-1", "done")];
    const second = [...stage, step(9, "canary-10", "begun")];
    const progress: MillwrightEvent = { kind: "progress", at: at(12), id: "canary-10", done: 3, total: 60, unit: "seconds" };

    it("says which share of the users the new colour has, and counts the stage down", () => {
      const both = { ...traffic(12), beside: { colour: "blue", seconds: 12, requests: 300, errors: 1, p95Milliseconds: 180 } } as const;
      const lines = shown(12, ...second, both, progress);
      expect(lines[0]).toBe("users    ● blue 1 has the users   ◐ green 2 has 10 % of them");
      expect(lines.slice(1, 4)).toEqual([
        "traffic  green: 80 requests in 12 s of this stage, none failed, 95 of 100 within 210 ms",
        "         blue: 300 requests in 12 s beside it, 1 failed, 95 of 100 within 180 ms",
        "         blue: 3000 requests in 10 min 0 s before it, 2 failed, 95 of 100 within 190 ms",
      ]);
      expect(lines.find((line) => line.startsWith("canary"))).toContain("3 of 60 s, 57 s left");
    });

    it("says it of none as soon as the first step that leads people back is undone, and of all after the switch", () => {
      expect(shown(13, ...second, step(13, "canary-10", "undoing"))[0]).toBe("users    ● blue 1 has the users   ○ green 2");
      const all = [...second, step(14, "switch", "begun"), step(15, "switch", "done")];
      expect(shown(15, ...all)[0]).toBe("users    ○ blue 1   ● green 2 has the users");
      expect(shown(16, ...all, step(16, "switch", "undoing"), step(17, "switch", "undone"))[0]).toBe("users    ● blue 1 has the users   ○ green 2");
    });

    it("is told in plain lines as the bake is", () => {
      const plain = new PlainLines();
      const lines = [...second, progress].flatMap((event) => plain.of(event));
      expect(lines).toContain("02:00:12    canary 10 %: 3 of 60 s");
    });
  });

  describe("in a preview", () => {
    const steps = ["up", "preview", "switch", "bake"].map((id) => ({ id, title: `Do ${id}` }));
    const waits: readonly MillwrightEvent[] = [
      { ...PLAN, steps },
      step(1, "preview", "begun"),
      {
        kind: "preview",
        at: at(2),
        id: "preview",
        colour: "green",
        until: at(7200),
        link: "https://erp/millwright-preview/ab",
        header: "X-Millwright-Preview: ab",
      },
    ];
    const progress = (second: number): MillwrightEvent => ({ kind: "progress", at: at(second), id: "preview", done: second - 2, total: 7200, unit: "seconds" });
    const KEYS = "goes on by: millwright resume   goes back by: millwright abort, or by itself at 2026-11-24 04:00 UTC";

    it("shows the ways to it, who is there, how long it waits and what to type", () => {
      expect(shown(62, ...waits, progress(62)).slice(0, -1)).toEqual([
        "users    ● blue 1 has the users   ◐ green 2 has the testers",
        "preview  green is shown to whoever",
        "         opens  https://erp/millwright-preview/ab",
        "         sends  X-Millwright-Preview: ab",
        `         ${KEYS}`,
        "waits    ░░░░░░░░░░░░░░░░░░░░░░░░ 60 of 7200 s, 7140 s left",
        "next     Do switch",
      ]);
    });

    it("shows nothing of it any more when that step is over, whatever its end", () => {
      for (const end of [step(90, "preview", "done"), step(90, "preview", "failed", "over"), step(90, "preview", "undoing")]) {
        expect(shown(91, ...waits, progress(62), end).join("\n")).not.toMatch(/testers|millwright-preview/);
      }
    });

    it("is the same as plain lines, and a word every ten minutes", () => {
      const plain = new PlainLines();
      const lines = [...waits, progress(62), progress(602), progress(662), progress(1202)].flatMap((event) => plain.of(event));
      expect(lines.slice(4)).toEqual([
        "02:00:02    preview: green is shown to whoever",
        "            opens  https://erp/millwright-preview/ab",
        "            sends  X-Millwright-Preview: ab",
        `            ${KEYS}`,
        "02:10:02    waits for a person, 600 of 7200 s: millwright resume, or millwright abort",
        "02:20:02    waits for a person, 1200 of 7200 s: millwright resume, or millwright abort",
      ]);
    });
  });

  it("names the last probe that fails, and remembers failures that are over", () => {
    const failing = [...SWITCHED, probe(18, "login page", "fail"), probe(18, "assets", "pass"), probe(20, "front door", "fail")];
    expect(shown(21, ...failing)[1]).toBe("probes   green: 1 of 3 pass; front door: front door answered 500");
    expect(shown(25, ...failing, probe(22, "login page", "pass"), probe(22, "front door", "pass"))[1]).toBe(
      "probes   green: 3 of 3 pass again, after 2 failures",
    );
  });

  it("while it is taken back: users return with the switch, and what it comes to", () => {
    const back = [...SWITCHED, step(30, "bake", "failed", "bad"), step(30, "switch", "undoing")];
    expect(usersOn(seen(...back))).toBe("green");
    expect(usersOn(seen(...back, step(31, "switch", "undone")))).toBe("blue");
    expect(shown(31, ...back).at(-2)).toBe("next     release 1 serves as before, on blue");
  });

  it("of a run that is taken up again after a cut keeps what its steps have done", () => {
    const view = seen(...SWITCHED, { ...PLAN, at: at(40) });
    expect(view.steps.map(({ state }) => state)).toEqual(["done", "done", "begun", "waiting"]);
  });

  it("of a deploy has neither users nor probes", () => {
    const { swap: _swap, ...deploy } = PLAN;
    const pull: MillwrightEvent = { kind: "progress", at: at(2), id: "up", done: 30e6, total: 120e6, unit: "bytes" };
    expect(shown(2, deploy, step(1, "up", "begun"), pull).slice(0, -1)).toEqual([
      "so far   ██████░░░░░░░░░░░░░░░░░░ 30.0 MB of 120.0 MB",
      "next     Do switch",
    ]);
  });
});

describe("the same as plain lines", () => {
  const lines = (...events: readonly MillwrightEvent[]): readonly string[] => {
    const plain = new PlainLines();
    return events.flatMap((event) => plain.of(event));
  };

  it("says where users are and how to leave the run, and each step", () => {
    expect(lines(...SWITCHED)).toEqual([
      "02:00:00  Swap from 1 (blue) to 2 (green).",
      "            ● blue 1 has the users   ○ green 2",
      "            Ctrl-C leaves, the run goes on: millwright follow. It is undone by: millwright abort",
      "02:00:01  … Do up",
      "02:00:05  ✔ Do up",
      "02:00:05  … Do switch",
      "02:00:06  ✔ Do switch",
      "02:00:06  … Do bake",
    ]);
  });

  it("says every ten seconds how the bake goes, with probes, traffic of both colours and what comes next", () => {
    const rounds = Array.from({ length: 8 }, (_, round) => [
      probe(6 + 2 * round, "login page", "pass"),
      traffic(6 + 2 * round, 1),
      bake(6 + 2 * round, 2 * round),
    ]);
    expect(lines(...SWITCHED, ...rounds.flat()).slice(8)).toEqual([
      "02:00:06    bake 0 of 60 s; probes of green: 1 of 1 pass",
      "            green: 80 requests in 12 s since the switch, 1 failed, 95 of 100 within 210 ms",
      "            blue: 3000 requests in 10 min 0 s before it, 2 failed, 95 of 100 within 190 ms",
      "            next: Do confirm",
      "02:00:16    bake 10 of 60 s; probes of green: 1 of 1 pass",
      "            green: 80 requests in 12 s since the switch, 1 failed, 95 of 100 within 210 ms",
      "            blue: 3000 requests in 10 min 0 s before it, 2 failed, 95 of 100 within 190 ms",
      "            next: Do confirm",
    ]);
  });

  it("says each probe that fails, each note and each step that is undone", () => {
    const note: MillwrightEvent = { kind: "note", at: at(8), level: "warning", text: "3 requests are cut off" };
    expect(lines(...SWITCHED, probe(7, "assets", "fail"), note, step(9, "switch", "undoing"), step(9, "switch", "undone")).slice(8)).toEqual([
      "02:00:07    green assets: fail, assets answered 500",
      "02:00:08  ! 3 requests are cut off",
      "02:00:09  ↩ Do switch (undoing)",
      "02:00:09  ↩ Do switch (undone)",
    ]);
  });
});
