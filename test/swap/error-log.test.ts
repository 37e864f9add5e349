import { describe, expect, it } from "vitest";
import type { LogLine } from "../../src/docker/log-lines.ts";
import { Secret } from "../../src/kernel/secret.ts";
import { ErrorLog, kindOf } from "../../src/swap/error-log.ts";

let second = 0;
const line = (text: string): LogLine => ({ at: `2026-11-24T02:00:${String((second += 1) % 60).padStart(2, "0")}.000000000Z`, text });
const entry = (level: string, message: string, logger = "odoo.http"): LogLine => line(`2026-11-24 02:00:00,123 17 ${level} acme ${logger}: ${message}`);
const traceback = (exception: string): readonly LogLine[] => [
  entry("ERROR", "Exception during request handling."),
  line("Traceback (most recent call last):"),
  line('  File "/usr/lib/python3/dist-packages/odoo/http.py", line 2200, in __call__'),
  line(exception),
];
const read = (lines: readonly LogLine[], known: readonly string[] = []): ErrorLog => {
  const log = new ErrorLog(known);
  log.read("web", lines);
  log.close();
  return log;
};

describe("Odoo's error log", () => {
  it("counts ERROR and CRITICAL entries and nothing else", () => {
    const log = read([line("ERROR without a head"), entry("INFO", "a"), entry("WARNING", "b"), entry("ERROR", "c"), entry("CRITICAL", "d")]);
    expect({ entries: log.entries, kinds: log.kinds }).toEqual({ entries: 2, kinds: ["ERROR odoo.http: c", "CRITICAL odoo.http: d"] });
  });

  it("takes a traceback for part of its entry, and tells entries apart by their exception", () => {
    const log = read([...traceback("KeyError: 'weight'"), ...traceback("ValueError: no scale"), ...traceback("KeyError: 'weight'")]);
    expect(log.evidence.map(({ kind, entries, lines }) => ({ kind, entries, lines: lines.length }))).toEqual([
      { kind: "ERROR odoo.http: Exception during request handling. | KeyError: 'weight'", entries: 2, lines: 4 },
      { kind: "ERROR odoo.http: Exception during request handling. | ValueError: no scale", entries: 1, lines: 4 },
    ]);
  });

  it("keeps an entry whole that is cut between two portions", () => {
    const log = new ErrorLog();
    const lines = traceback("KeyError: 'weight'");
    log.read("web", lines.slice(0, 2));
    log.read("cron", [entry("ERROR", "other")]);
    log.read("web", lines.slice(2));
    expect(log.entries).toBe(0);
    log.read("web", []);
    expect(log.kinds).toEqual(["ERROR odoo.http: Exception during request handling. | KeyError: 'weight'"]);
  });

  it("passes over what the old release writes too, though the numbers in it differ", () => {
    const known = read([entry("ERROR", "could not lock record 4711 of res.partner")]).kinds;
    const log = read([entry("ERROR", "could not lock record 12 of res.partner"), entry("ERROR", "could not lock record 12 of sale.order")], known);
    expect(log.kinds).toEqual(["ERROR odoo.http: could not lock record # of sale.order"]);
  });

  it("hides secrets and shows what would drive a terminal", () => {
    const secret = new Secret("correct-horse-battery");
    const [found] = read([entry("ERROR", `login with ${secret.reveal()} \u001b]0;owned\u0007`)]).evidence;
    expect(JSON.stringify(found)).not.toContain("correct-horse");
    expect(found?.lines[0]).toContain(String.raw`\x1b]0;owned\x07`);
    expect(found?.kind).toContain(String.raw`\x1b`);
  });

  it("holds no more of a log than a reader needs", () => {
    const long = Array.from({ length: 5000 }, () => line("  some frame of an endless recursion ".repeat(100)));
    const log = read([
      entry("ERROR", "deep"),
      ...long,
      line("RecursionError: maximum depth"),
      ...Array.from({ length: 3000 }, (_, n) => entry("ERROR", "x".repeat(n % 150))),
    ]);
    expect(JSON.stringify(log.evidence).length).toBeLessThan(100_000);
    expect(log.evidence[0]?.lines.at(-1)).toBe("RecursionError: maximum depth");
    expect(log.entries).toBe(3001);
  });
});

describe("the kind of an entry", () => {
  it.each([
    ["ids", "ERROR odoo.sql_db: bad query: UPDATE x WHERE id IN (1, 2, 33)", "ERROR odoo.sql_db: bad query: UPDATE x WHERE id IN (#)"],
    ["addresses", "ERROR odoo: <Thread 0x7f3a1c2d> died at 10.201.3.7:5432", "ERROR odoo: <Thread #> died at #"],
    ["times", "ERROR odoo: since 2026-11-24 02:00:00,123", "ERROR odoo: since # #"],
    ["uuids", "ERROR odoo: device 6f9619ff-8b86-d011-b42d-00cf4fc964ff", "ERROR odoo: device #"],
  ])("is without its %s", (_name, head, kind) => {
    expect(kindOf(head, [])).toBe(kind);
  });
});
