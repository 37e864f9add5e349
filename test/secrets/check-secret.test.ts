import * as fc from "../properties.ts";
import { describe, expect, it } from "vitest";
import { secretProblem } from "../../src/secrets/check-secret.ts";
import { generateSecret } from "../../src/secrets/generate.ts";

describe("a value that a person chose for a secret", () => {
  it.each([
    "short",
    "x".repeat(201),
    "-rf-looks-like-an-option",
    "two words here",
    "line\nbreak-in-odoo.conf",
    'quo"te-in-json',
    "colon:in-pgpass",
    "a#comment-of-redis",
    "dollar$sign",
    "back\\slash",
    "percent%sign",
    "{{template}}-x",
    "umlaut-ü-here",
    "",
  ])("is refused when some file on the host could read it otherwise: %j", (value) => {
    expect(secretProblem(value)).toEqual(expect.any(String));
  });

  it("may be as strong as one that is made", () => {
    expect(secretProblem(generateSecret().reveal())).toBeUndefined();
    expect(secretProblem("Sommer-2026!*,./=@^_~+")).toBeUndefined();
  });

  it("never holds what a shell, YAML, INI or JSON gives a meaning, whatever is let through", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        if (secretProblem(value) === undefined) expect(value).not.toMatch(/[\s"'`$\\%#:;{}<>|&()[\]]/);
      }),
    );
  });
});
