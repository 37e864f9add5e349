import { describe, expect, it } from "vitest";
import { classify } from "../../src/swap/classify.ts";
import { countDialling, countEstablished } from "../../src/swap/connections.ts";
import { judgeCertificate, judgeFront } from "../../src/swap/front.ts";
import type { Answer } from "../../src/swap/http.ts";
import { judgeInitLog } from "../../src/swap/init-database.ts";
import { assetPaths } from "../../src/swap/probes/assets.ts";
import { judgeLoginPage } from "../../src/swap/probes/login-page.ts";
import { trafficFile } from "../../src/swap/traffic.ts";
import { judgeWarmth } from "../../src/swap/warm-workers.ts";
import { release } from "../release/fixtures.ts";
import { ROUTES } from "./fake-site.ts";

const other = (more: Parameters<typeof release>[0] = {}): ReturnType<typeof release> =>
  release({ id: "2026-11-24-2", image: `sha256:${"b".repeat(64)}`, ...more });
const addon = (content: string, schema: string): { version: string; content: string; schema: string } => ({ version: "1", content, schema });

describe("classification", () => {
  it.each([
    ["no release before", undefined, release(), "first", []],
    ["the same image", release(), release({ id: "2026-11-24-2" }), "same", []],
    ["new code only", release(), other({ addons: { scale: addon("c2", "s1") } }), "code-only", []],
    ["nothing but a new build", release(), other(), "code-only", []],
    ["other Python requirements", release(), other({ requirements: "r2" }), "code-only", []],
    ["a changed definition", release(), other({ addons: { scale: addon("c2", "s2") } }), "schema-changing", ["scale"]],
    ["a new addon", release(), other({ addons: { scale: addon("c1", "s1"), label: addon("c", "s") } }), "schema-changing", ["label"]],
    ["an addon that is gone", release(), other({ addons: {} }), "schema-changing", ["scale"]],
    ["another base image", release(), other({ base: "odoo:19@sha256:new" }), "schema-changing", []],
    ["another series", release(), other({ series: "18.0" }), "schema-changing", []],
  ] as const)("of %s", (_name, running, next, kind, addons) => {
    expect(classify(running, next)).toMatchObject({ kind, addons });
  });

  it("gives a reason for every kind", () => {
    for (const next of [release(), other(), other({ addons: {} })]) expect(classify(release(), next).reasons.length).toBeGreaterThan(0);
  });
});

describe("the routing file", () => {
  const parsed = (
    text: string,
  ): {
    http: {
      routers: Record<string, { rule?: string; priority?: number; service: string; middlewares?: string[] }>;
      services: Record<string, unknown>;
      middlewares: Record<string, unknown>;
    };
  } => JSON.parse(text);
  const green = { colour: "green", switchId: "run-7" } as const;

  it("leads the pages and the websockets of users to the active colour, and nothing else", () => {
    const { routers } = parsed(trafficFile(ROUTES, green)).http;
    expect([routers["odoo"]?.service, routers["odoo-ws"]?.service, routers["blocked"]?.service]).toEqual(["odoo-green", "odoo-ws-green", "noop@internal"]);
  });

  it("lists only the active colour", () => {
    const text = trafficFile(ROUTES, green);
    expect(text).not.toContain("blue");
    expect(Object.keys(parsed(text).http.services).sort()).toEqual(["nobody", "odoo-green", "odoo-ws-green"]);
  });

  it("marks every answer with colour and switch, outside all other middlewares", () => {
    const { http } = parsed(trafficFile(ROUTES, green));
    expect(http.routers["odoo"]?.middlewares).toEqual(["millwright-colour", "hold"]);
    expect(http.middlewares["millwright-colour"]).toEqual({
      headers: { customResponseHeaders: { "X-Millwright-Colour": "green", "X-Millwright-Switch": "run-7" } },
    });
  });

  describe("with a canary", () => {
    const canary = { colour: "green", run: "run-8", percent: 10, before: 1 } as const;
    const text = trafficFile(ROUTES, { colour: "blue", switchId: "run-8-10", canary });
    const { routers, services } = parsed(text).http;

    it("leads pinned browsers to the new colour by pages and websockets alike, above every other route of these", () => {
      expect([routers["odoo-pinned"], routers["odoo-ws-pinned"]]).toMatchObject([{ service: "odoo-green" }, { service: "odoo-ws-green" }]);
      const pinned = /HeaderRegexp\(.*\)$/.exec(String(routers["odoo-pinned"]?.rule))?.[0];
      expect(pinned).toBe("HeaderRegexp(`Cookie`, `(^|;\\s*)millwright-canary-run-8-\\d+=c70292624f2db225(;|$)`)");
      expect(routers["odoo-ws-pinned"]?.rule).toBe(`(Host(\`erp.example.com\`) && PathPrefix(\`/websocket\`)) && ${pinned}`);
    });

    it("draws only browsers that open a page, once a stage, so that the stages add up to their share", () => {
      // The second is how a page is opened where Odoo's service worker passes it on.
      expect(routers["odoo-draw"]?.rule).toContain(
        "Method(`GET`) && ((Header(`Sec-Fetch-Dest`, `document`)) || (Header(`Sec-Fetch-Mode`, `navigate`) && Header(`Sec-Fetch-Dest`, `empty`))) && !HeaderRegexp(`Cookie`",
      );
      expect(Object.keys(routers)).not.toContain("odoo-ws-draw");
      expect(services["odoo-draw"]).toMatchObject({
        weighted: {
          services: [
            { name: "odoo-blue", weight: 90 },
            { name: "odoo-green", weight: 9 },
          ],
          sticky: { cookie: { name: "millwright-canary-run-8-10", secure: true, httpOnly: true } },
        },
      });
    });

    it("goes before the routes that it stands for, and not before those of another purpose", () => {
      const some = JSON.parse(ROUTES) as { http: { routers: Record<string, { priority?: number }> } };
      Object.assign(some.http.routers["odoo"] ?? {}, { priority: 10 });
      const made = parsed(trafficFile(JSON.stringify(some), { colour: "blue", switchId: "s", canary })).http.routers;
      expect([made["odoo"]?.priority, made["odoo-draw"]?.priority, made["odoo-pinned"]?.priority]).toEqual([10, 11, 12]);
      expect(made["blocked"]).toEqual(some.http.routers["blocked"]);
    });
  });

  it("without a release is the stack's own, which answers 503", () => {
    expect(JSON.parse(trafficFile(ROUTES, undefined))).toEqual(JSON.parse(ROUTES));
  });

  it("refuses a value that Traefik would run as a template", () => {
    expect(() => trafficFile(ROUTES.replace("erp.example.com", "{{ env }}"), green)).toThrow(expect.objectContaining({ code: "TRAFFIC_INVALID" }));
  });

  it("refuses routes that are no routing table", () => {
    expect(() => trafficFile(`{"http": {}}`, green)).toThrow(expect.objectContaining({ code: "TRAFFIC_INVALID" }));
  });

  it("switched there and back is the same to the byte", () => {
    const blue = { colour: "blue", switchId: "run-6" } as const;
    expect(trafficFile(ROUTES, blue)).toBe(trafficFile(ROUTES, blue));
  });
});

const answer = (more: Partial<Answer>): Answer => ({
  status: 200,
  headers: {},
  body: `<input name="login"><input name="csrf_token">`,
  milliseconds: 5,
  ...more,
});

describe("the login page", () => {
  it.each([
    ["is good with its form", answer({}), "pass"],
    ["is bad as a redirect to itself: the database is gone", answer({ status: 302, headers: { location: "/web/login" } }), "fail"],
    ["is bad as a redirect to the database selector", answer({ status: 303, headers: { location: "/web/database/selector" } }), "fail"],
    ["is bad with a link to the database manager", answer({ body: `name="login" csrf_token /web/database/manager` }), "fail"],
    ["is bad when it is blank", answer({ body: "" }), "fail"],
    ["is bad as an error", answer({ status: 500 }), "fail"],
  ] as const)("%s", (_name, page, verdict) => {
    expect(judgeLoginPage(page).verdict).toBe(verdict);
  });

  it("names its bundles, each once, as a browser would ask for them", () => {
    const page = `<link href="/web/assets/1/a.min.css"><script src="/web/assets/1/b.js?x=1&amp;y=2"></script><script src="/web/assets/1/b.js?x=1&amp;y=2"></script><a href="/web/login">`;
    expect(assetPaths(page)).toEqual(["/web/assets/1/a.min.css", "/web/assets/1/b.js?x=1&y=2"]);
  });
});

describe("warmth", () => {
  const times = (...list: readonly number[]): Answer[] => list.map((milliseconds) => answer({ milliseconds }));
  it("passes when the second half is even", () => {
    expect(judgeWarmth(times(1500, 1600), times(35, 60)).verdict).toBe("pass");
  });
  it("fails while one worker is still cold", () => {
    expect(judgeWarmth(times(1500, 35), times(35, 40, 1500)).verdict).toBe("fail");
  });
  it("fails with one bad answer among the good ones", () => {
    expect(judgeWarmth(times(35), [answer({ status: 500 })]).verdict).toBe("fail");
    expect(judgeWarmth(times(35), [new Error("connection reset")]).verdict).toBe("fail");
  });
});

describe("the front door", () => {
  const green = { colour: "green", switchId: "run-7" } as const;
  const marked = (colour: string, id: string, status = 200): Answer =>
    answer({ status, headers: { "x-millwright-colour": colour, "x-millwright-switch": id } });

  it.each([
    ["the new configuration", marked("green", "run-7"), "pass"],
    ["the other colour", marked("blue", "run-7"), "fail"],
    ["the same colour of an earlier switch", marked("green", "run-6"), "fail"],
    ["no mark at all", answer({}), "fail"],
    ["the right mark on a bad page", marked("green", "run-7", 500), "fail"],
  ] as const)("judges %s", (_name, page, verdict) => {
    expect(judgeFront(page, green, true).verdict).toBe(verdict);
  });

  it("tells a wrong page of the configuration itself from an answer of another", () => {
    expect(judgeFront(marked("green", "run-7", 500), green, true).answered).toBe(true);
    expect(judgeFront(marked("blue", "run-7", 500), green, true).answered).toBeUndefined();
    expect(judgeFront(answer({ status: 503 }), green, true).answered).toBeUndefined();
  });

  it("on the way back asks only who answers", () => {
    expect(judgeFront(marked("green", "run-7", 500), green, false).verdict).toBe("pass");
  });

  it("without a release must show no mark", () => {
    expect(judgeFront(answer({ status: 503 }), undefined, false).verdict).toBe("pass");
    expect(judgeFront(marked("green", "run-7"), undefined, false).verdict).toBe("fail");
  });

  it("reports a certificate of another name or time, and does not fail by it", () => {
    const now = { now: () => Date.parse("2026-11-24") };
    const certificate = { names: "DNS:erp.example.com, DNS:*.example.org", validFrom: "Jan  1 00:00:00 2026 GMT", validTo: "Jan  1 00:00:00 2027 GMT" };
    expect(judgeCertificate(certificate, "erp.example.com", now).verdict).toBe("pass");
    expect(judgeCertificate(certificate, "a.example.org", now).verdict).toBe("pass");
    expect(judgeCertificate(certificate, "other.example.com", now).verdict).toBe("unknown");
    expect(judgeCertificate(certificate, "erp.example.com", { now: () => Date.parse("2028-01-01") }).verdict).toBe("unknown");
  });
});

describe("connections of a colour", () => {
  // Columns as the kernel prints them: local 172.18.0.5:8069 from 172.18.0.2, state 01.
  const TABLE = `  sl  local_address rem_address   st tx_queue
   0: 00000000:1F85 00000000:0000 0A 00000000:00000000
   1: 050012AC:1F85 020012AC:D431 01 00000000:00000000
   2: 050012AC:1F85 010012AC:D432 01 00000000:00000000
   3: 050012AC:1F88 020012AC:D433 01 00000000:00000000
   4: 050012AC:1F85 020012AC:D434 06 00000000:00000000
   5: 0000000000000000FFFF0000050012AC:1F85 0000000000000000FFFF0000020012AC:D435 01 00000000:00000000`;
  it("count the established ones of the port and the peer, in both tables' forms", () => {
    expect(countEstablished(TABLE, 8069, ["172.18.0.2"])).toBe(2);
  });
  it("count those that nobody has taken yet, by the address they are for", () => {
    const dialling = `   6: 020012AC:D436 050012AC:1F85 02 00000000:00000000
   7: 020012AC:D437 060012AC:1F85 02 00000000:00000000
   8: 020012AC:D438 050012AC:1F88 02 00000000:00000000`;
    expect(countDialling(dialling, 8069, ["172.18.0.5"])).toBe(1);
  });
  it("count everyone when no peer is named", () => {
    expect(countEstablished(TABLE, 8069, [])).toBe(3);
  });
});

describe("the log of an installation", () => {
  const line = (level: string, text: string): string => `2026-11-24 02:00:00,123 17 ${level} acme odoo.modules: ${text}`;
  it.each([
    ["exit 0 and a quiet log", 0, [line("INFO", "Modules loaded."), line("WARNING", "pg_trgm")], undefined],
    ["exit 255", 255, [], "Odoo ended with 255"],
    ["exit 0 with an error", 0, [line("ERROR", "Failed to load")], "Failed to load"],
    ["exit 0 with a module that nobody knows", 0, [line("WARNING", "invalid module names, ignored: mpr")], "invalid module names"],
  ] as const)("with %s", (_name, code, lines, problem) => {
    const found = judgeInitLog(code, lines);
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(problem);
  });
});
