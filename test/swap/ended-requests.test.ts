import { describe, expect, it } from "vitest";
import { describeCut } from "../../src/swap/cut-requests.ts";
import { type EndedRequest, endedRequests } from "../../src/swap/ended-requests.ts";

/** As Traefik 3.7 writes them, without the fields that nobody here reads. */
const entry = (over: Record<string, unknown>): { readonly at: string; readonly text: string } => ({
  at: "2026-11-24T02:02:05.000000000Z",
  text: JSON.stringify({
    DownstreamStatus: 200,
    Duration: 65_445_596_802,
    OriginStatus: 200,
    RequestMethod: "GET",
    RequestPath: "/report/slow",
    RouterName: "odoo@file",
    ServiceName: "odoo-blue@file",
    StartUTC: "2026-11-24T02:01:00.312267062Z",
    ...over,
  }),
});

const BEFORE = Date.parse("2026-11-24T02:01:30Z");
const of = (...lines: ReturnType<typeof entry>[]): readonly EndedRequest[] => endedRequests(lines, "blue", BEFORE);

describe("a request that outlasted the drain", () => {
  it("was cut when the maintenance page answered it: its colour does not stand in the log any more", () => {
    const cut = entry({ RequestMethod: "POST", DownstreamStatus: 503, OriginStatus: 503, ServiceName: "unavailable@file" });
    expect(of(cut)).toEqual([{ method: "POST", path: "/report/slow", startedAt: "2026-11-24T02:01:00.312267062Z", seconds: 65.445596802, isCut: true }]);
  });

  it("was cut when its answer broke off after a good beginning", () => {
    expect(of(entry({ DownstreamStatus: 200, OriginStatus: 0 }))).toMatchObject([{ isCut: true }]);
  });

  it("was not cut when it was answered in the grace, well or badly, or when its user left", () => {
    const ends = [200, 500, 499].map((status) => entry({ DownstreamStatus: status, OriginStatus: status }));
    const left = entry({ DownstreamStatus: 499, OriginStatus: 0 });
    expect(of(...ends, left)).toMatchObject([{ isCut: false }, { isCut: false }, { isCut: false }, { isCut: false }]);
  });

  it("is not one of the colour that serves, nor one that began after users were led away", () => {
    expect(of(entry({ ServiceName: "odoo-green@file" }), entry({ StartUTC: "2026-11-24T02:01:30.000000001Z" }))).toEqual([]);
  });

  it("is no websocket", () => {
    expect(of(entry({ ServiceName: "odoo-ws-blue@file", RequestPath: "/websocket", DownstreamStatus: 0, OriginStatus: 0 }))).toEqual([]);
  });

  it("is not read from lines that are no entry of the access log", () => {
    expect(of({ at: "", text: "I have to go..." }, { at: "", text: '{"level":"info","message":"Server stopped"}' })).toEqual([]);
  });

  it("is told without the query and without what would drive a terminal", () => {
    expect(of(entry({ RequestPath: "/my\u001b[2J/orders?access_token=secret" }))).toMatchObject([{ path: "/my\\x1b[2J/orders" }]);
  });
});

describe("the cut requests in words", () => {
  const cut = (path: string, seconds: number): EndedRequest => ({ method: "GET", path, startedAt: "", seconds, isCut: true });

  it("names the longest five and counts the rest", () => {
    const all = [61, 62, 63, 64, 65, 120.4].map((seconds) => cut(`/${Math.round(seconds)}`, seconds));
    expect(describeCut("blue", all, 0)).toBe(
      "Cut off when blue was stopped, 6 in all: GET /120 after 120 s, GET /65 after 65 s, GET /64 after 64 s, GET /63 after 63 s, GET /62 after 62 s, 1 more.",
    );
  });

  it("says how many it cannot name", () => {
    expect(describeCut("blue", [], 2)).toBe("Of 2 that outlasted the drain on blue the proxy's log does not tell the end.");
  });
});
