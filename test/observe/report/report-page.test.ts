import { beforeAll, describe, expect, it } from "vitest";
import { reportPage } from "../../../src/observe/report/report-page.ts";
import { type RunRecord, runRecordSchema } from "../../../src/observe/run-record.ts";
import { Recorder } from "./record-run.ts";

/** Of a page, what a reader sees: without tags, style and entities. */
function words(page: string): string {
  return page
    .replace(/<style>[\s\S]*?<\/style>/, "")
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&#47;", "/")
    .replace(/\s+/g, " ");
}

describe("the report of a swap", () => {
  let good: RunRecord;
  let bad: RunRecord;

  beforeAll(async () => {
    good = await (await Recorder.make()).swap();
    bad = await (await Recorder.make({ manner: { breaksAfter: 40 } })).swap();
  });

  it("says what serves, from which release and by whom, with the moments of switch and decision", () => {
    const text = words(reportPage(good));
    expect(text).toContain("Done. Release 2026-11-24-2 serves on green");
    expect(text).toMatch(/From 2026-11-24-1 on blue To 2026-11-24-2 on green/);
    expect(text).toContain("By jo (10.0.0.6)");
    expect(text).toMatch(/users were switched · .* decision/);
  });

  it("has every step of the plan, and every probe with how often it passed", () => {
    const text = words(reportPage(good));
    for (const { title } of good.plan.steps) expect(text).toContain(title);
    for (const probe of ["login page", "assets", "websocket", "database", "front door"]) expect(text).toMatch(new RegExp(`green ${probe} (\\d+) of \\1 `));
  });

  it("of a release that was taken back names the rule, its words and what was undone", () => {
    const text = words(reportPage(bad));
    expect(text).toContain("Taken back. Release 2026-11-24-1 serves as before, on blue");
    const { verdict } = JSON.parse(bad.evidence.find(({ name }) => name === "bake")?.text ?? "") as { verdict: { rule: string; detail: string } };
    expect(["probes", "errors"]).toContain(verdict.rule);
    expect(text).toContain(`✘ fail by the rule “${verdict.rule}”: ${verdict.detail}`);
    expect(text).toMatch(/Switch users from blue to green undone/);
    expect(text).toContain("users were back on the old release");
  });

  it("rests on a record that tells where users go, and the traffic of both colours in the bake", () => {
    expect(good.events[0]).toMatchObject({
      kind: "plan",
      swap: { from: { colour: "blue", release: "2026-11-24-1" }, to: { colour: "green", release: "2026-11-24-2" } },
    });
    const last = good.events.findLast(({ kind }) => kind === "traffic");
    expect(last).toMatchObject({ now: { colour: "green" }, before: { colour: "blue" } });
    expect(good.series.length).toBeGreaterThan(20);
    expect(reportPage(good).match(/<svg class="chart"/g)).toHaveLength(4);
  });

  it("is written of an older run too, which recorded no series", () => {
    const old = { ...good, series: [], events: good.events.filter(({ kind }) => kind !== "traffic") };
    expect(reportPage(old).match(/<svg class="chart"/g)).toHaveLength(1);
  });

  it("of a canary says what each stage led, what both releases were asked in it, and its verdict", async () => {
    const record = await (await Recorder.make({ canary: [10, 50] })).swap();
    const page = reportPage(record);
    const text = words(page);
    expect(text).toMatch(/10 of 100 browsers were led to the new release · .* 50 of 100 .* users were switched/);
    expect(text).toMatch(/ 10 % \d+ s \d+ s (\d+ requests, 0 of them 5xx, 95 of 100 within \d+ ms ){2}✔ pass 50 % /);
    expect(text).toMatch(/The canary at 10 % .*The canary at 50 % .*Through the front door/);
    expect(page.match(/<svg class="chart"/g)).toHaveLength(5);
  });

  it("of a canary that was aborted says that its stage has no verdict", async () => {
    const record = await (await Recorder.make({ canary: [10, 50] })).swap();
    const stages = record.stages.slice(0, 1).map(({ step, series }) => ({ step, series: series.slice(0, -1) }));
    const end = record.events.findIndex((event) => event.kind === "step" && event.id === "canary-10" && event.state === "done");
    expect(words(reportPage({ ...record, stages, events: record.events.slice(0, end) }))).toMatch(/ 10 % .* none: begun Measured/);
  });

  it("of a canary whose host had an older agent has its stages without numbers", async () => {
    const record = await (await Recorder.make({ canary: [10, 50] })).swap();
    const { stages: _, ...older } = record;
    const text = words(reportPage(runRecordSchema.parse(older)));
    expect(text).toContain("users were switched");
    expect(text).not.toContain("undefined");
  });

  it("lists the run's journal entries with their whole hashes, and the journal's head", () => {
    const page = reportPage(good);
    expect(good.journal.run.length).toBeGreaterThan(20);
    for (const { hash } of good.journal.run) expect(page).toContain(hash);
    expect(page).toContain(`<code>${good.journal.head}</code>`);
  });

  it("shows both releases side by side, and which addon has new code", () => {
    const text = words(reportPage(good));
    expect(text).toContain("Release 2026-11-24-1 (before) 2026-11-24-2");
    expect(text).toMatch(/Addon scale 19.0.1.2 19.0.1.3 new code/);
    expect(text).toMatch(/Addon labels 19.0.2.0 19.0.2.0 the same/);
  });

  it("holds no script, no address of the web and no inline style, whatever the evidence holds", () => {
    const hostile = `</pre><script src="https://evil.example/a.js"></script><img src=http://evil.example/x onerror=alert(1) style="color:red">`;
    const record: RunRecord = {
      ...bad,
      who: hostile,
      host: hostile,
      evidence: [
        ...bad.evidence,
        { name: hostile, text: JSON.stringify({ results: [{ name: hostile, verdict: hostile, detail: hostile, milliseconds: 1 }] }) },
      ],
      events: bad.events.map((event) => (event.kind === "probe" ? { ...event, name: hostile, detail: hostile } : event)),
      leftOut: [hostile],
    };
    const page = reportPage(record);
    expect(page).toContain("&lt;script src=");
    expect(page).not.toMatch(/<(?:script|img|link|iframe|object|base)\b|https?:\/\/| style="| on[a-z]+="/i);
  });

  it("is the same to the byte for the same record", () => {
    expect(reportPage(structuredClone(good))).toBe(reportPage(good));
  });

  it("of a run that has not ended, with a broken journal and an unknown kind of evidence, is written all the same", () => {
    const text = words(
      reportPage({
        ...good,
        events: good.events.slice(0, 12),
        evidence: [{ name: "new-kind", text: "not JSON" }],
        journal: { entries: 0, head: "", problem: "Entry 7 of the journal was changed.", run: [] },
        leftOut: ["12 of 90 probes"],
      }),
    );
    expect(text).toContain("Not ended.");
    expect(text).toContain("✘ broken Entry 7 of the journal was changed.");
    expect(text).toContain("evidence/new-kind.json not JSON");
    expect(text).toContain("Left out for its size: 12 of 90 probes.");
  });

  it("of a rollback has no release without a name", async () => {
    const recorder = await Recorder.make();
    await recorder.swap();
    const text = words(reportPage(await recorder.rollback()));
    expect(text).toContain("Roll back from release 2026-11-24-2 (green) to 2026-11-24-1 (blue).");
    expect(text).not.toContain("undefined");
  });
});
