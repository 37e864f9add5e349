import { describe, expect, it } from "vitest";
import { metricsText } from "../../src/observe/metrics-text.ts";

describe("the agent's metrics", () => {
  it("are Prometheus text: the journal's head, what serves, and the newest run of each kind", () => {
    const text = metricsText({
      entries: 57,
      head: "ab".repeat(32),
      serving: { colour: "green", release: "2026-11-24-2", since: "2026-11-24T02:03:00.500Z" },
      runs: [
        { kind: "swap", outcome: "done", began: "2026-11-24T02:00:00.000Z", ended: "2026-11-24T02:04:00.000Z" },
        { kind: "swap", outcome: "undone", began: "2026-11-23T02:00:00.000Z", ended: "2026-11-23T02:04:00.000Z" },
        { kind: "deploy", outcome: "done", began: "2026-11-20T02:00:00.000Z", ended: "2026-11-20T02:01:00.000Z" },
      ],
    });
    expect(text.split("\n").filter((line) => !line.startsWith("#"))).toEqual([
      "millwright_journal_entries 57",
      `millwright_journal_head_info{head="${"ab".repeat(32)}"} 1`,
      'millwright_serving_info{colour="green",release="2026-11-24-2"} 1',
      "millwright_serving_since_timestamp_seconds 1795485780.5",
      'millwright_last_run_began_timestamp_seconds{kind="deploy"} 1795140000',
      'millwright_last_run_began_timestamp_seconds{kind="swap"} 1795485600',
      'millwright_last_run_ended_timestamp_seconds{kind="deploy",outcome="done"} 1795140060',
      'millwright_last_run_ended_timestamp_seconds{kind="swap",outcome="done"} 1795485840',
      "",
    ]);
    expect(text).toContain("# TYPE millwright_journal_head_info gauge\n");
  });

  it("tell the last backup, and what the last drill measured", () => {
    const text = metricsText({
      entries: 1,
      head: "0",
      backup: {
        ended: "2026-11-24T02:31:00.000Z",
        database: { label: "F", type: "full", size: 300, added: 30 },
        files: { snapshot: "s", files: 2, bytes: 200, added: 20 },
      },
      drill: { at: "2026-11-24T02:36:00.000Z", rpoSeconds: 41, rtoSeconds: 62, attachments: 5012 },
      runs: [],
    });
    expect(text.split("\n").filter((line) => /^millwright_(backup|drill)/.test(line))).toEqual([
      "millwright_backup_last_success_timestamp_seconds 1795487460",
      'millwright_backup_last_size_bytes{kind="database"} 300',
      'millwright_backup_last_size_bytes{kind="files"} 200',
      'millwright_backup_last_added_bytes{kind="database"} 30',
      'millwright_backup_last_added_bytes{kind="files"} 20',
      "millwright_drill_last_success_timestamp_seconds 1795487760",
      "millwright_drill_rpo_seconds 41",
      "millwright_drill_rto_seconds 62",
      "millwright_drill_attachments 5012",
    ]);
  });

  it("say nothing of what is not there: no release, no end of a run that waits for a person", () => {
    const text = metricsText({ entries: 3, head: "0", runs: [{ kind: "swap", outcome: "failed", began: "2026-11-24T02:00:00.000Z" }] });
    expect(text).not.toContain("serving");
    expect(text).not.toContain("run_ended");
  });

  it("keep a value from ending its label", () => {
    const serving = { colour: "green", release: 'a"b\\c\nd', since: "2026-11-24T02:03:00.000Z" };
    expect(metricsText({ entries: 0, head: "", serving, runs: [] })).toContain(String.raw`release="a\"b\\c\nd"`);
  });
});
