import { describe, expect, it } from "vitest";
import { Output, type OutputMode } from "../../src/cli/output.ts";
import { MillwrightError } from "../../src/kernel/errors.ts";

function capture(
  mode: OutputMode,
  options: { readonly colour?: boolean } = {},
): { readonly output: Output; readonly stdout: () => string; readonly stderr: () => string } {
  const written = { stdout: "", stderr: "" };
  const streams = {
    stdout: { write: (text: string): void => void (written.stdout += text) },
    stderr: { write: (text: string): void => void (written.stderr += text) },
  };
  const output = new Output({ mode, streams, colour: options.colour ?? false, live: false, debug: false });
  return { output, stdout: () => written.stdout, stderr: () => written.stderr };
}

const EVIL = "\u001B]0;pwned\u0007\u001B[2Jall is well";
const SHOWN = "\\x1b]0;pwned\\x07\\x1b[2Jall is well";

describe("what is printed for people", () => {
  it("holds nothing of a container's that the terminal would act on, wherever it stands", () => {
    const { output, stdout, stderr } = capture("text");
    output.result("logs", { data: {}, text: EVIL });
    output.say(EVIL);
    output.warn(EVIL);
    output.event({ kind: "note", at: "2026-01-01T00:00:00.000Z", level: "info", text: EVIL });
    output.error("deploy", new MillwrightError("SERVICE_UNHEALTHY", EVIL, { subject: EVIL, hint: EVIL, details: [EVIL] }));
    expect(`${stdout()}${stderr()}`).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(`${stdout()}${stderr()}`.split(SHOWN).length - 1).toBe(7);
  });

  it("keeps the tool's own colours", () => {
    const { output, stderr } = capture("text", { colour: true });
    output.error("deploy", new MillwrightError("DOCKER_DOWN", "The Docker engine does not answer."));
    expect(stderr()).toContain("\u001B[31mError:\u001B[39m The Docker engine does not answer.");
  });
});

describe("--json", () => {
  it("stays one document when a web address and an e-mail address stand in two fields", () => {
    const { output, stdout } = capture("json");
    output.result("status", { data: { url: "http://10.0.0.1:8069", who: "anna@laptop" }, text: "" });
    expect(JSON.parse(stdout())).toMatchObject({ ok: true, data: { url: "http://10.0.0.1:8069", who: "anna@laptop" } });
  });

  it("stays one document when a key begins in one field and ends in another", () => {
    const { output, stdout } = capture("json");
    output.error("deploy", new MillwrightError("INTERNAL", "-----BEGIN PRIVATE KEY-----", { details: ["x", "-----END PRIVATE KEY-----"] }));
    expect(JSON.parse(stdout())).toMatchObject({ ok: false, error: { code: "INTERNAL" } });
  });

  it("tells beside it, on standard error, only what waits for a person", () => {
    const { output, stdout, stderr } = capture("json");
    const at = "2026-11-24T02:00:00.000Z";
    output.event({ kind: "note", at, level: "info", text: "all is well" });
    output.event({
      kind: "preview",
      at,
      id: "preview",
      colour: "green",
      until: at,
      link: "https://erp/millwright-preview/ab",
      header: "X-Millwright-Preview: ab",
    });
    expect(stdout()).toBe("");
    expect(stderr()).toContain("opens  https://erp/millwright-preview/ab");
    expect(stderr()).not.toContain("all is well");
  });

  it("holds nothing that a terminal would act on, and the same values", () => {
    const { output, stdout } = capture("json");
    const text = "\u001B]0;pwned\u0007 \u009B2J \u007F \u202Egnp.exe ü 😀";
    output.result("logs", { data: { lines: [text] }, text: "" });
    expect(stdout()).not.toMatch(/(?!\n)[\p{Cc}\u202A-\u202E\u2066-\u2069]/u);
    expect(JSON.parse(stdout())).toMatchObject({ data: { lines: [text] } });
  });

  it("still masks what looks like a password", () => {
    const { output, stdout } = capture("json-lines");
    output.event({ kind: "note", at: "2026-01-01T00:00:00.000Z", level: "info", text: "postgres://odoo:s3cr3t@db/odoo" });
    output.result("deploy", { data: { line: "postgres://odoo:s3cr3t@db/odoo" }, text: "" });
    expect(stdout()).not.toContain("s3cr3t");
    for (const line of stdout().trim().split("\n")) expect(() => JSON.parse(line)).not.toThrow();
  });
});
