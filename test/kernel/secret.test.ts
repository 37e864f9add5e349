import { inspect } from "node:util";
import * as fc from "../properties.ts";
import { describe, expect, it } from "vitest";
import { redact, redactValue, Secret } from "../../src/kernel/secret.ts";

describe("a secret", () => {
  it("does not show in any usual way of printing", () => {
    const secret = new Secret("hunter2hunter2");
    for (const text of [String(secret), JSON.stringify({ secret }), inspect(secret), inspect({ deep: [secret] })]) expect(text).not.toContain("hunter2");
  });

  it("gives its value only when asked", () => {
    expect(new Secret("hunter2hunter2").reveal()).toBe("hunter2hunter2");
  });
});

describe("redact", () => {
  it("masks a known secret in plain, URL-encoded, base64 and JSON-escaped form", () => {
    const value = 'p@ss "word" \\ 1234';
    const secret = new Secret(value);
    const forms = [value, encodeURIComponent(value), Buffer.from(value).toString("base64"), JSON.stringify(value)];
    for (const form of forms) expect(redact(`before ${form} after`)).not.toContain(form);
    expect(secret.reveal()).toBe(value);
  });

  it("masks each line of a key, since logs are read line by line, and not the lines that frame it", () => {
    const secret = new Secret("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIBkg4LVWM9nuwNSk3yByx\n-----END EC PRIVATE KEY-----\n");
    const lines = secret.reveal().trim().split("\n").map(redact);
    expect(lines).toEqual(["-----BEGIN EC PRIVATE KEY-----", "[secret]", "-----END EC PRIVATE KEY-----"]);
  });

  it("leaves nothing of a secret that contains another one", () => {
    const secrets = [new Secret("abcdefgh"), new Secret("abcdefgh-tail-of-the-longer")];
    expect(redact(`x ${secrets[1]?.reveal()} y`)).toBe("x [secret] y");
  });

  it("masks what looks like a private key, an age identity or a password in a URL, known or not", () => {
    const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----";
    expect(redact(`${key} AGE-SECRET-KEY-1QQQQ postgres://odoo:s3cr3t@db/odoo`)).toBe("[secret] [secret] postgres://odoo:[secret]@db/odoo");
  });

  it("leaves short values alone, which would mask ordinary words", () => {
    const secret = new Secret("on");
    expect(redact("turned on")).toBe("turned on");
    expect(secret.reveal()).toBe("on");
  });

  it("lets no secret survive in any text around it", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8, maxLength: 30 }), fc.string(), fc.string(), (value, before, after) => {
        // A value of mask letters only could come back by the masking itself.
        fc.pre(!"[secret]".repeat(5).includes(value) && !value.includes("[secret]"));
        const secret = new Secret(value);
        expect(redact(`${before}|${secret.reveal()}|${after}`)).not.toContain(`|${value}|`);
        expect(redact(`|${secret.reveal()}|`)).not.toContain(value);
      }),
    );
  });
});

describe("redactValue", () => {
  it("masks every string of a JSON value, keys and secrets included, and keeps the rest", () => {
    const secret = new Secret("correct-horse-battery");
    const value = { list: ["a correct-horse-battery b", 1, null, true], "correct-horse-battery": secret };
    expect(redactValue(value)).toEqual({ list: ["a [secret] b", 1, null, true], "[secret]": "[secret]" });
  });
});
