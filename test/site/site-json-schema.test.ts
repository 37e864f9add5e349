import { readFile } from "node:fs/promises";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { siteJsonSchema, type JsonSchema } from "../../src/site/site-json-schema.ts";

describe("the JSON Schema of site.yaml", () => {
  it("is what docs/site.schema.json holds: run `npm run schema` after a change", async () => {
    expect(JSON.parse(await readFile("docs/site.schema.json", "utf8"))).toEqual(siteJsonSchema());
  });

  it.each(["acme", "minimal", "pair"])("accepts the example %s", async (name) => {
    const validate = new Ajv2020({ strict: false }).compile(siteJsonSchema());
    validate(parse(await readFile(`examples/${name}/site.yaml`, "utf8")));
    expect(validate.errors).toBeNull();
  });

  it("describes every key", () => {
    const silent: string[] = [];
    const walk = (schema: JsonSchema, path: string): void => {
      for (const [key, inner] of Object.entries(schema.properties ?? {})) {
        if (inner["description"] === undefined && key !== "kind") silent.push(`${path}${key}`);
        walk(inner, `${path}${key}.`);
      }
      for (const inner of [...(schema.oneOf ?? []), ...(schema.items === undefined ? [] : [schema.items])]) walk(inner, path);
      if (typeof schema.additionalProperties === "object") walk(schema.additionalProperties, `${path}*.`);
    };
    walk(siteJsonSchema(), "");
    expect(silent).toEqual([]);
  });
});
