import * as fc from "../properties.ts";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { renderStack, type RenderInput } from "../../src/blueprint/render-stack.ts";
import { imagesOf } from "../../src/blueprint/view.ts";
import { isTrulyNamed } from "../../src/release/derived-name.ts";
import { type Stack, stackId, stackSchema } from "../../src/blueprint/stack.ts";
import { SECRET_REFERENCE } from "../../src/site/secret-reference.ts";
import type { Environment } from "../../src/site/environment.ts";
import { exampleEnvironment } from "./fixtures/example-environment.ts";
import { exampleInput } from "./fixtures/example-input.ts";

interface Service {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly { readonly source: string; readonly target: string }[];
  readonly tmpfs?: readonly string[];
  readonly networks: Readonly<Record<string, unknown>>;
}

function render(changes: Partial<Environment> = {}, input: Partial<RenderInput> = {}): Stack {
  return renderStack(exampleInput(exampleEnvironment(changes), input));
}

function contentOf(stack: Stack, path: string): string {
  const file = stack.files.find((one) => one.path === path);
  if (file === undefined) throw new Error(`no ${path}`);
  return file.content;
}

function servicesOf(stack: Stack, project: string): Readonly<Record<string, Service>> {
  return (parse(contentOf(stack, `${project}/compose.yaml`)) as { services: Record<string, Service> }).services;
}

const acme = { kind: "acme", email: "it@acme.example", directory: "https://acme-v02.api.letsencrypt.org/directory" } as const;
const variants: readonly (readonly [string, Partial<Environment>])[] = [
  ["own authority, Redis, monitoring", {}],
  ["ACME, files, no monitoring", { certificate: acme, sessions: "files", monitoring: false }],
  ["certificate files", { certificate: { kind: "files", chain: "certificates/a.pem", ca: "certificates/b.pem" }, sessions: "files" }],
  ["Odoo 17.0", { odoo: { ...exampleEnvironment().odoo, series: "17.0" } }],
  ["Odoo 18.0", { odoo: { ...exampleEnvironment().odoo, series: "18.0" } }],
];

describe.each(variants)("a stack with %s", (_, changes) => {
  it("is the same to the byte when rendered again, and its id is its content's hash", () => {
    const [first, second] = [render(changes), render(changes)];
    expect(second).toEqual(first);
    expect(stackSchema.parse(first).id).toBe(stackId(first.facts, first.files));
  });

  it("mounts only files and folders that are in it or that its directories list", () => {
    const stack = render(changes);
    for (const project of ["platform", "blue", "green", "recovery"]) {
      for (const volume of Object.values(servicesOf(stack, project)).flatMap((service) => service.volumes ?? [])) {
        const isThere = volume.source.startsWith("../")
          ? stack.files.some((file) => `../${file.path}` === volume.source || `../${file.path}`.startsWith(`${volume.source}/`))
          : stack.facts.directories.some((directory) => directory.path === volume.source);
        expect(isThere, volume.source).toBe(true);
      }
    }
  });

  it("has every file that it holds mounted somewhere, but for those the agent reads itself", () => {
    const stack = render(changes);
    const sources = ["platform", "blue", "recovery"].flatMap((project) =>
      Object.values(servicesOf(stack, project)).flatMap((service) => (service.volumes ?? []).map((volume) => volume.source)),
    );
    const unmounted = stack.files
      .map((file) => file.path)
      .filter((path) => !sources.some((source) => `../${path}` === source || `../${path}`.startsWith(`${source}/`)));
    expect(
      unmounted.filter(
        (path) =>
          !/^(platform|blue|green|recovery)\/compose\.yaml$|^secrets\.age$|^edge\/(routes|certificate)\.json$|^edge\/tls\/(ca|chain|key)\.pem$/.test(path),
      ),
    ).toEqual([]);
  });

  it("lists exactly the secrets that its files and roles name, and the ones the agent uses itself", () => {
    const stack = render(changes);
    const named = stack.files.flatMap((file) => [...file.content.matchAll(SECRET_REFERENCE)].map((match) => match[1] ?? ""));
    expect(stack.facts.secrets).toEqual([...new Set([...named, ...stack.facts.roles.map((role) => role.secret), "odoo_admin", "odoo_probe"])].sort());
  });

  it("gives each container only networks of the stack, and Traefik none that the database is in", () => {
    const platform = servicesOf(render(changes), "platform");
    expect(Object.keys(platform["database"]?.networks ?? {})).toEqual(["data"]);
    expect(platform["edge"]?.networks).not.toHaveProperty("data");
  });

  it("covers the volumes that the images declare", () => {
    const stack = render(changes);
    const targets = (service: Service | undefined): readonly string[] => [
      ...(service?.volumes ?? []).map((volume) => volume.target),
      ...(service?.tmpfs ?? []).map((mount) => mount.split(":")[0] ?? ""),
    ];
    for (const name of ["web", "cron"])
      expect(targets(servicesOf(stack, "blue")[name])).toEqual(expect.arrayContaining(["/var/lib/odoo", "/mnt/extra-addons"]));
    expect(targets(servicesOf(stack, "platform")["database"])).toContain("/var/lib/postgresql");
    expect(targets(servicesOf(stack, "recovery")["database"])).toContain("/var/lib/postgresql");
  });
});

describe("renderStack", () => {
  it("differs between the colours only in the colour's name", () => {
    const stack = render();
    expect(contentOf(stack, "green/compose.yaml").replaceAll("green", "blue")).toBe(contentOf(stack, "blue/compose.yaml"));
  });

  it("brings any text of an override to the container as it was typed", () => {
    const input = exampleInput(exampleEnvironment());
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (text) => {
        const content = JSON.stringify({ services: { web: { environment: { TEXT: text } } } });
        const stack = renderStack({ ...input, overrides: [{ path: "overrides/a.yaml", content }] });
        expect(servicesOf(stack, "blue")["web"]?.environment?.["TEXT"]?.replaceAll("$$", () => "$")).toBe(text);
      }),
      { numRuns: 25 },
    );
  });

  it("judges what an override makes of a service", () => {
    const overrides = [{ path: "overrides/a.yaml", content: "services: {web: {privileged: true}, cache: {ports: ['6379:6379']}}" }];
    expect(() => render({}, { overrides })).toThrow(
      expect.objectContaining({
        code: "POLICY_VIOLATED",
        details: [expect.stringMatching(/^published-port: cache ports/), expect.stringMatching(/^privileged: web privileged/)],
      }),
    );
  });

  it("lets a waived finding pass and puts the waiver into the facts", () => {
    const overrides = [{ path: "overrides/a.yaml", content: "services: {backup: {volumes: ['/mnt/nas:/nas']}}" }];
    const waivers = [{ rule: "host-path", service: "backup", reason: "The plant's NAS." }];
    expect(render({ waivers }, { overrides }).facts.waived).toEqual(waivers);
  });

  it("puts an override's new service into the platform", () => {
    const image = `x:1@sha256:${"c".repeat(64)}`;
    const service = {
      image,
      user: "5:5",
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      mem_limit: 1,
      pids_limit: 1,
      healthcheck: { test: ["CMD", "x"] },
      networks: ["egress"],
    };
    const stack = render({}, { overrides: [{ path: "overrides/a.yaml", content: JSON.stringify({ services: { printer: service } }) }] });
    expect(stack.facts.services.at(-1)).toBe("printer");
    expect(stack.facts.images).toContain(image);
    expect(servicesOf(stack, "blue")).not.toHaveProperty("printer");
  });

  it.each([
    ["a line end", { company: "a\nb" }],
    ["a reference to a secret", { company: "<<secret db_odoo>>" }],
    ["a name that is no host name", { domain: "a`) || Host(`b" }],
    ["a database name with a quote", { odoo: { ...exampleEnvironment().odoo, database: "a'b" } }],
  ])("refuses a site value with %s", (_, changes) => {
    expect(() => render(changes)).toThrow(expect.objectContaining({ code: "SITE_INVALID" }));
  });

  it("runs the database from an image that it makes of the official one, and has that pulled and locked", () => {
    const { facts, ...stack } = render();
    const [derived, ...others] = facts.derived ?? [];
    expect(others).toEqual([]);
    expect(derived).toMatchObject({ packages: ["pgbackrest"], base: expect.stringMatching(/^postgres:18@sha256:/) as string });
    expect(servicesOf({ ...stack, facts }, "platform")["database"]?.image).toBe(derived?.image);
    expect(facts.images).toContain(derived?.base);
    expect(facts.images).not.toContain(derived?.image);
    expect(derived !== undefined && isTrulyNamed(derived)).toBe(true);
    const { environment, blueprint } = exampleInput(exampleEnvironment());
    expect(imagesOf(environment, blueprint).map(({ name }) => name)).not.toContain("database");
  });

  it("names a derived image anew when the lock has another base, and makes none that an override does without", () => {
    const input = exampleInput(exampleEnvironment());
    const { postgres } = input.lock.images;
    if (postgres === undefined) throw new Error("no postgres");
    const images = { ...input.lock.images, postgres: { ...postgres, digest: `sha256:${"b".repeat(64)}` } };
    const names = [render(), render({}, { lock: { ...input.lock, images } })].map(({ facts }) => facts.derived?.[0]?.image);
    expect(new Set(names).size).toBe(2);
    const own = `registry.example/postgres@sha256:${"c".repeat(64)}`;
    const overrides = [{ path: "overrides/a.yaml", content: `services: {database: {image: "${own}"}}` }];
    const stack = render({}, { overrides });
    const { facts } = stack;
    expect(servicesOf(stack, "recovery")["database"]?.image).toBe(own);
    expect({ derived: facts.derived, own: facts.images.includes(own) }).toEqual({ derived: [], own: true });
  });

  it("has a derived image never pulled, for a registry's of that name would be another's, and no override changes that", () => {
    expect(contentOf(render(), "platform/compose.yaml")).toMatch(/millwright\/database:[0-9a-f]{16}\n    pull_policy: never/);
    const overrides = [{ path: "overrides/a.yaml", content: "services: {database: {pull_policy: missing}}" }];
    expect(() => render({}, { overrides })).toThrow(/hardening rule/);
  });

  it("refuses an override's tag that looks like a derived image's", () => {
    const overrides = [{ path: "overrides/a.yaml", content: `services: {cache: {image: "millwright/database:0123456789abcdef"}}` }];
    expect(() => render({}, { overrides })).toThrow(/hardening rule/);
  });

  it("refuses to render without a digest or a certificate", () => {
    expect(() => render({}, { lock: { version: 1, images: {} } })).toThrow(expect.objectContaining({ code: "IMAGE_NOT_LOCKED", hint: "millwright lock" }));
    expect(() => render({}, { certificates: {} })).toThrow(expect.objectContaining({ code: "SITE_INVALID", subject: "certificates/production.pem" }));
  });

  it("leaves an unchanged stack's id alone when the vault is the same, and changes it with the vault", () => {
    expect(render({}, { vault: "other" }).id).not.toBe(render().id);
  });

  it("serves nobody but answers by itself: its routes are a whole Traefik file without templates", () => {
    const text = contentOf(render(), "edge/routes.json");
    const routes = JSON.parse(text) as {
      http: { routers: Record<string, { service: string }>; services: Record<string, { loadBalancer: { servers: unknown[] } }> };
    };
    expect(text).not.toContain("{{");
    for (const name of ["odoo", "odoo-ws"]) expect(routes.http.services[name]?.loadBalancer.servers).toEqual([]);
    for (const router of Object.values(routes.http.routers))
      expect(router.service.includes("@") || Object.hasOwn(routes.http.services, router.service)).toBe(true);
  });
});
