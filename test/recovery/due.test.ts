import { describe, expect, it } from "vitest";
import { dueNow, nextTimes, type Past, typeOf } from "../../src/recovery/due.ts";

// 2026-11-29 is a Sunday.
const POLICY = { at: "02:30", full: 0, drill: 0, keepDays: 14 };
const at = (text: string): number => Date.parse(`${text}:00.000Z`);
const past = (over: Partial<Past> = {}): Past => ({
  records: [{ at: "2026-11-28T02:30:05.000Z" }],
  drilledAt: "2026-11-22T02:40:00.000Z",
  verifiedAt: "2026-11-22T02:50:00.000Z",
  runs: [],
  ...over,
});
const failed = (kind: string, began: string) => [{ kind, outcome: "undone", began: `${began}:00.000Z` }];

describe("a backup", () => {
  it("is due when its time has come, once", () => {
    expect(dueNow(POLICY, past(), at("2026-11-29T02:29"))).toBeUndefined();
    expect(dueNow(POLICY, past(), at("2026-11-29T02:30"))).toEqual({ kind: "backup" });
    expect(
      dueNow(
        POLICY,
        past({ records: [{ at: "2026-11-29T02:31:00.000Z" }], drilledAt: "2026-11-29T02:33:00.000Z", verifiedAt: "2026-11-29T02:35:00.000Z" }),
        at("2026-11-29T02:36"),
      ),
    ).toBeUndefined();
  });

  it("is caught up by a host that was off at its time", () => {
    expect(dueNow(POLICY, past(), at("2026-11-29T11:00"))).toEqual({ kind: "backup" });
    expect(dueNow(POLICY, past({ records: [{ at: "2026-11-20T02:30:00.000Z" }] }), at("2026-11-29T01:00"))).toEqual({ kind: "backup" });
  });

  it("is due at once while there is none", () => {
    expect(dueNow(POLICY, past({ records: [] }), at("2026-11-29T12:00"))).toEqual({ kind: "backup" });
  });

  it("that failed is tried again after an hour", () => {
    const runs = failed("backup", "2026-11-29T02:30");
    expect(dueNow(POLICY, past({ runs }), at("2026-11-29T03:25"))).toBeUndefined();
    expect(dueNow(POLICY, past({ runs }), at("2026-11-29T03:31"))).toEqual({ kind: "backup" });
  });
});

describe("what a clock that was ahead has left behind", () => {
  const later = "2027-05-01T02:30:00.000Z";
  const now = at("2026-11-29T02:31");

  it("keeps no backup from being made: neither a backup nor a failure of that day", () => {
    const records = [{ at: "2026-11-28T02:30:05.000Z" }, { at: later }];
    expect(dueNow(POLICY, past({ records, runs: [{ kind: "backup", outcome: "undone", began: later }] }), now)).toEqual({ kind: "backup" });
  });

  it("keeps no drill from being made", () => {
    expect(dueNow(POLICY, past({ records: [{ at: "2026-11-29T02:30:05.000Z" }], drilledAt: later }), now)).toEqual({ kind: "drill" });
  });

  it("does not stand for the full backup of this week", () => {
    const full = { type: "full" as const, isDamaged: false, began: later };
    expect(typeOf(POLICY, [full], { full: false, bySchedule: true }, now).type).toBe("full");
  });
});

describe("a drill", () => {
  const records = [{ at: "2026-11-29T02:30:05.000Z" }];
  const verifiedAt = "2026-11-29T02:31:00.000Z";

  it("is due on its day after that day's backup, until it was passed", () => {
    expect(dueNow(POLICY, past({ records, verifiedAt }), at("2026-11-29T02:35"))).toEqual({ kind: "drill" });
    expect(dueNow(POLICY, past({ records, verifiedAt, drilledAt: "2026-11-29T02:40:00.000Z" }), at("2026-11-29T02:45"))).toBeUndefined();
  });

  it("is caught up on another day", () => {
    expect(dueNow(POLICY, past({ records: [...records, { at: "2026-12-01T02:30:05.000Z" }] }), at("2026-12-01T09:00"))).toEqual({ kind: "drill" });
  });

  it("waits for the backup of its day", () => {
    expect(dueNow(POLICY, past(), at("2026-11-29T02:20"))).toBeUndefined();
  });

  it("that failed is tried again the day after, and not before: it reads and writes as much as the plant has", () => {
    const runs = failed("drill", "2026-11-29T02:35");
    const later = [...records, { at: "2026-11-30T02:30:05.000Z" }];
    expect(dueNow(POLICY, past({ records, verifiedAt, runs }), at("2026-11-29T23:50"))).toBeUndefined();
    expect(dueNow(POLICY, past({ records: later, verifiedAt, runs }), at("2026-11-30T02:34"))).toBeUndefined();
    expect(dueNow(POLICY, past({ records: later, verifiedAt, runs }), at("2026-11-30T02:36"))).toEqual({ kind: "drill" });
  });

  it("is never due where the site wants none", () => {
    expect(dueNow({ ...POLICY, drill: undefined }, past({ records, verifiedAt, drilledAt: undefined }), at("2026-11-29T02:35"))).toBeUndefined();
  });
});

describe("a verification", () => {
  const records = [{ at: "2026-11-29T02:30:05.000Z" }];
  const proven = { records, drilledAt: "2026-11-29T02:40:00.000Z", verifiedAt: "2026-11-22T02:50:00.000Z" };

  it("is due on the day of the full backup, after it and the drill, until it was passed", () => {
    expect(dueNow(POLICY, past(), at("2026-11-29T02:20"))).toBeUndefined();
    expect(dueNow(POLICY, past({ ...proven, drilledAt: undefined }), at("2026-11-29T02:45"))).toEqual({ kind: "drill" });
    expect(dueNow(POLICY, past(proven), at("2026-11-29T02:45"))).toEqual({ kind: "verify" });
    expect(dueNow({ ...POLICY, drill: undefined }, past({ ...proven, drilledAt: undefined }), at("2026-11-29T02:45"))).toEqual({ kind: "verify" });
    expect(dueNow(POLICY, past({ ...proven, verifiedAt: "2026-11-29T02:44:00.000Z" }), at("2026-11-29T02:45"))).toBeUndefined();
  });

  it("does not wait for a drill that failed, and is itself tried again after a day", () => {
    const runs = failed("drill", "2026-11-29T02:35");
    expect(dueNow(POLICY, past({ ...proven, drilledAt: undefined, runs }), at("2026-11-29T02:45"))).toEqual({ kind: "verify" });
    expect(dueNow(POLICY, past({ ...proven, runs: failed("verify", "2026-11-29T02:45") }), at("2026-11-29T23:50"))).toBeUndefined();
  });
});

describe("the times to come", () => {
  it("are tomorrow's backup, and drill and verification on their days", () => {
    const sunday = "2026-11-29T02:30:00.000Z";
    expect(nextTimes(POLICY, at("2026-11-28T03:00"))).toEqual({ backup: sunday, drill: sunday, verify: sunday });
    expect(nextTimes({ ...POLICY, drill: 3 }, at("2026-11-29T03:00"))).toEqual({
      backup: "2026-11-30T02:30:00.000Z",
      drill: "2026-12-02T02:30:00.000Z",
      verify: "2026-12-06T02:30:00.000Z",
    });
    expect(nextTimes({ ...POLICY, drill: undefined }, at("2026-11-29T01:00"))).toEqual({ backup: sunday, drill: undefined, verify: sunday });
  });
});

describe("what a backup holds", () => {
  const made = (began: string, over: Partial<{ type: "full" | "diff"; isDamaged: boolean }> = {}) => ({
    type: "full" as const,
    isDamaged: false,
    began,
    ...over,
  });
  const type = (backups: readonly ReturnType<typeof made>[], now: string, asked = { full: false, bySchedule: true }) =>
    typeOf(POLICY, backups, asked, at(now)).type;

  it("is everything on the day of the full one, once, and else what has changed since", () => {
    const saturday = made("2026-11-28T02:30:01.000Z");
    expect(type([saturday], "2026-11-29T02:30")).toBe("full");
    expect(type([made("2026-11-29T02:30:01.000Z")], "2026-11-29T20:00")).toBe("diff");
    expect(type([made("2026-11-29T02:30:01.000Z")], "2026-11-30T02:30")).toBe("diff");
  });

  it("is everything when there is nothing to build on: none yet, a damaged one, one of last week", () => {
    expect(type([], "2026-11-30T02:30")).toBe("full");
    expect(type([made("2026-11-29T02:30:01.000Z", { isDamaged: true })], "2026-11-30T02:30")).toBe("full");
    expect(type([made("2026-11-20T02:30:01.000Z")], "2026-11-30T02:30")).toBe("full");
  });

  it("is what a person asks for", () => {
    const backups = [made("2026-11-28T02:30:01.000Z")];
    expect(type(backups, "2026-11-28T09:00", { full: false, bySchedule: false })).toBe("incr");
    expect(type(backups, "2026-11-28T09:00", { full: true, bySchedule: false })).toBe("full");
  });
});
