import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { Secret } from "../../src/kernel/secret.ts";
import { type Active, trafficFile } from "../../src/swap/traffic.ts";
import { ROUTES } from "./fake-site.ts";

interface Written {
  readonly http: {
    readonly routers: Readonly<Record<string, unknown>>;
    readonly services: Readonly<Record<string, { readonly loadBalancer?: { readonly servers: readonly { readonly url: string }[] } }>>;
    readonly middlewares: Readonly<Record<string, { readonly headers?: { readonly customResponseHeaders?: Readonly<Record<string, string>> } }>>;
  };
}

/** The command with which docs/console.md rewrites the routing file. */
const [, COMMAND = ""] = /sed '([^']+)' dynamic\/millwright\.yml/.exec(readFileSync("docs/console.md", "utf8")) ?? [];

const green: Active = { colour: "green", switchId: "run-8" };
const blue: Active = { colour: "blue", switchId: "run-8-10" };

describe("the way back by hand", () => {
  it.each<readonly [string, Active]>([
    ["everybody is on the new release", green],
    ["a canary has led some", { ...blue, canary: { colour: "green", run: "run-8", percent: 10, before: 1 } }],
    ["a preview has led testers", { ...blue, preview: { colour: "green", run: "run-8", secret: new Secret("5e".repeat(16)) } }],
  ])("leads all to the old release when %s, by a file that the proxy takes", (_when, active) => {
    const before = trafficFile(ROUTES, active);
    const after = execFileSync("sed", [COMMAND], { input: before, encoding: "utf8" });
    // As Traefik does: a key that stands twice makes the whole file bad.
    const { http } = parse(after, { uniqueKeys: true }) as Written;
    const urls = Object.values(http.services).flatMap(({ loadBalancer }) => loadBalancer?.servers.map(({ url }) => url) ?? []);
    expect(before).toContain("http://odoo-green:8069");
    expect(new Set(urls)).toEqual(new Set(["http://odoo-blue:8069", "http://odoo-blue:8072"]));
    expect(Object.keys(http.routers)).toEqual(Object.keys((JSON.parse(before) as Written).http.routers));
    const marks = Object.values(http.middlewares).flatMap(({ headers }) => headers?.customResponseHeaders?.["X-Millwright-Colour"] ?? []);
    expect(new Set(marks)).toEqual(new Set(["blue"]));
  });
});
