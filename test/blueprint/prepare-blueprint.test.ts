import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createFixture } from "fs-fixture";
import { describe, expect, it } from "vitest";
import { blueprintYaml } from "../../src/blueprint/load-blueprint.ts";
import { prepareBlueprint } from "../../src/blueprint/prepare-blueprint.ts";
import type { Prepared } from "../../src/blueprint/prepared.ts";
import { fillTemplate, fromPrepared } from "../../src/blueprint/template.ts";
import { buildView } from "../../src/blueprint/view.ts";
import { sha256 } from "../../src/kernel/canonical.ts";
import { exampleEnvironment } from "./fixtures/example-environment.ts";
import { BLUEPRINT_DIRECTORY, exampleInput } from "./fixtures/example-input.ts";

async function prepare(directory = BLUEPRINT_DIRECTORY): Promise<Prepared> {
  const text = await prepareBlueprint(directory);
  const module: unknown = await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(text)}`);
  return (module as { readonly PREPARED: Prepared }).PREPARED;
}

async function textsOf(extension: string): Promise<readonly string[]> {
  const paths = await readdir(BLUEPRINT_DIRECTORY, { recursive: true });
  return await Promise.all(paths.filter((path) => path.endsWith(extension)).map((path) => readFile(join(BLUEPRINT_DIRECTORY, path), "utf8")));
}

describe("a prepared blueprint", () => {
  it("holds each YAML file as the data it is read as", async () => {
    const { yaml } = await prepare();
    const texts = await textsOf(".yaml");
    expect(Object.keys(yaml)).toHaveLength(new Set(texts).size);
    for (const text of texts) expect(yaml[sha256(text)]).toEqual(blueprintYaml(text, "a file"));
  });

  it("holds the templates of files and those inside YAML", async () => {
    const { templates } = await prepare();
    const files = await textsOf(".hbs");
    expect(Object.keys(templates)).toEqual(expect.arrayContaining([...files]));
    expect(Object.keys(templates).length).toBeGreaterThan(files.length);
  });

  it("fills each template in as the template itself does", async () => {
    const view = { ...buildView(exampleInput(exampleEnvironment())), colour: "blue" };
    for (const [text, template] of Object.entries((await prepare()).templates)) expect(fromPrepared(template)(view)).toBe(fillTemplate(text, view, "f"));
  });

  it.each([
    ["a missing value", "{{gone}}"],
    ["a missing condition", "{{#if gone}}x{{/if}}"],
    ["a missing argument of a helper", "{{pg gone}}"],
  ])("refuses %s", async (_, text) => {
    await using folder = await createFixture({ "a.hbs": text });
    const [template] = Object.values((await prepare(folder.path)).templates);
    expect(template).toBeDefined();
    expect(() => template && fromPrepared(template)({ name: "x" })).toThrow(/"gone"/);
  });
});
