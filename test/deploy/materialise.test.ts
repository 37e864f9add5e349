import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { hostPaths } from "../../src/blueprint/host-paths.ts";
import type { Stack } from "../../src/blueprint/stack.ts";
import { type Materialised, materialise } from "../../src/deploy/materialise.ts";
import { fixtureStack, STACK } from "./fixture-stack.ts";

const paths = hostPaths(STACK);
const platform = (stack: Stack, password = "pw"): Materialised =>
  materialise({ stack, project: "platform", paths, fill: (content) => content.replace(/<<secret (\w+)>>/, `$1=${password}`) });
const configs = (made: Materialised): Record<string, string> =>
  Object.fromEntries(Object.entries(made.services).map(([name, service]) => [name, service.config]));
const changedServices = (one: Materialised, other: Materialised): string[] =>
  Object.keys(one.services).filter((name) => configs(one)[name] !== configs(other)[name]);

describe("a project as the host runs it", () => {
  it("mounts content-addressed files and labels each service with its definition's hash", () => {
    const made = platform(fixtureStack());
    const document = parse(made.compose) as { services: Record<string, { volumes: { source: string }[]; labels: Record<string, string> }> };
    expect(document.services["edge"]?.volumes[0]?.source).toMatch(/^\/srv\/millwright\/acme-production\/files\/[0-9a-f]{16}-traefik\.yaml$/);
    expect(document.services["edge"]?.labels["millwright.config"]).toBe(made.services["edge"]?.config);
    expect(made.files.find((file) => file.path === document.services["edge"]?.volumes[0]?.source)).toMatchObject({
      content: "entryPoints: {}\n",
      mode: 0o444,
      uid: 0,
    });
  });

  it("fills secrets into files that only their reader may open", () => {
    const made = platform(fixtureStack());
    const secret = made.files.find((file) => file.path.endsWith("-superuser"));
    expect(secret).toMatchObject({ content: "db_superuser=pw", mode: 0o400 });
    expect(secret?.path).toContain("/secrets/");
    expect(made.compose).not.toContain("=pw");
  });

  it("makes a mounted folder one content-addressed folder", () => {
    const made = platform(fixtureStack());
    const source = (parse(made.compose) as { services: Record<string, { volumes: string[] }> }).services["exporter"]?.volumes[0]?.split(":")[0] ?? "";
    expect(made.files.filter((file) => file.tree === source).map((file) => file.path.slice(source.length))).toEqual(["/a/config.yaml", "/b.yaml"]);
  });

  it("leaves everything but the services that mount a changed file as it was", () => {
    const one = platform(fixtureStack());
    const edge = platform(fixtureStack(({ files }) => void (files["edge/traefik.yaml"] = "log: {}\n")));
    const folder = platform(fixtureStack(({ files }) => void (files["exporter/b.yaml"] = "b: 2\n")));
    expect(changedServices(one, edge)).toEqual(["edge"]);
    expect(changedServices(one, folder)).toEqual(["exporter"]);
    expect(changedServices(one, platform(fixtureStack(), "other"))).toEqual(["database"]);
  });

  it("puts the release's image in the place of its placeholder, and refuses it on the platform", () => {
    const release = `sha256:${"f".repeat(64)}`;
    const made = materialise({ stack: fixtureStack(), project: "blue", paths, release, fill: (content) => content });
    expect(made.services["web"]?.image).toBe(release);
    expect(made.compose).not.toContain("MILLWRIGHT_RELEASE");
    const wrong = fixtureStack(({ services }) => void Object.assign(services["edge"] ?? {}, { image: "${MILLWRIGHT_RELEASE}" }));
    expect(() => platform(wrong)).toThrow(/image of a release/);
  });

  it("keeps Compose's doubled dollars and texts that YAML readers differ on", () => {
    const stack = fixtureStack(
      ({ services }) => void Object.assign(services["edge"] ?? {}, { command: ["a$$b", "1_000", "2026-11-24", "no"], environment: { MODE: "0755" } }),
    );
    const made = platform(stack).compose;
    expect(parse(made)).toMatchObject({ services: { edge: { command: ["a$$b", "1_000", "2026-11-24", "no"], environment: { MODE: "0755" } } } });
    for (const text of ['"1_000"', '"2026-11-24"', '"no"', '"0755"']) expect(made).toContain(text);
  });

  it("refuses a mount of something that the stack does not hold", () => {
    const stack = fixtureStack(({ services }) => void Object.assign(services["edge"] ?? {}, { volumes: ["../edge/absent.yaml:/x:ro"] }));
    expect(() => platform(stack)).toThrow(/does not hold/);
  });

  it("takes time limits and ports from the definition", () => {
    const made = platform(fixtureStack());
    expect(made.services["edge"]?.ports).toEqual([
      { address: "127.0.0.1", port: 80, target: 8080 },
      { address: "127.0.0.1", port: 443, target: 8443 },
    ]);
    expect(made.services["database"]?.healthSeconds).toBe(10 + 2 * 3 * 10);
  });
});
