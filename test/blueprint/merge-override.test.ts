import { describe, expect, it } from "vitest";
import { mergeOverride, readOverride } from "../../src/blueprint/merge-override.ts";

const overlay = (yaml: string) => readOverride({ path: "overrides/a.yaml", content: yaml });
const base = {
  web: {
    command: ["a", "b"],
    environment: { A: "1", B: "2" },
    volumes: [{ type: "bind", source: "x", target: "/x" }],
    tmpfs: ["/tmp"],
    networks: { app: { aliases: ["odoo-blue"] } },
  },
};

describe("override", () => {
  it("merges maps, replaces commands, adds to lists and replaces the mount of the same target", () => {
    const merged = mergeOverride(
      base,
      overlay("services: {web: {command: [c], environment: [B=3, C=$x], tmpfs: [/tmp, /y], networks: [egress], volumes: ['z:/x:ro', 'q:/q']}}"),
    );
    expect(merged).toEqual({
      web: {
        command: ["c"],
        environment: { A: "1", B: "3", C: "$x" },
        volumes: ["z:/x:ro", "q:/q"],
        tmpfs: ["/tmp", "/y"],
        networks: { app: { aliases: ["odoo-blue"] }, egress: {} },
      },
    });
  });

  it("takes away with !reset and replaces with !override", () => {
    const merged = mergeOverride(base, overlay("services: {web: {command: !reset null, tmpfs: !override [/z], environment: {A: !reset null}}}"));
    expect(merged).toMatchObject({ web: { tmpfs: ["/z"], environment: { B: "2" } } });
    expect(merged).not.toHaveProperty("web.command");
    expect(merged).not.toHaveProperty("web.environment.A");
  });

  it("adds a service", () => {
    expect(mergeOverride(base, overlay("services: {label-printer: {image: a}}"))).toMatchObject({ "label-printer": { image: "a" }, web: {} });
  });

  it.each([
    ["services: [", "YAML"],
    ["- a", "map"],
    ["volumes: {x: {}}", "volumes"],
    ["include: [x.yaml]", "include"],
    ["services: {web: !custom x}", "tag"],
    ["services: {web: 1}", "map"],
  ])("refuses %s and names the file", (yaml, why) => {
    expect(() => overlay(yaml)).toThrow(
      expect.objectContaining({
        code: "SITE_INVALID",
        subject: "overrides/a.yaml",
        message: expect.stringMatching(new RegExp(`overrides/a.yaml: .*${why}|${why}|unresolved`, "i")) as string,
      }),
    );
  });
});
