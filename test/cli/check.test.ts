import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkCommand } from "../../src/cli/commands/check.ts";
import { SiteFixture } from "./site-fixture.ts";

describe("what `check` finds in a site folder", () => {
  it("is an authority's certificate that is gone, with a hint that leads on", async () => {
    await using fixture = await SiteFixture.make();
    await rm(join(fixture.site, "certificates/ca.pem"));
    const refusal = { code: "SITE_INVALID", subject: "certificates/ca.pem", hint: expect.stringContaining("git history") as string };
    await expect(checkCommand({}, fixture.context())).rejects.toMatchObject(refusal);
  });

  it("is a file that would be no override for its name", async () => {
    await using fixture = await SiteFixture.make();
    const folder = join(fixture.site, "overrides");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "README.md"), "Why there are none.");
    await checkCommand({}, fixture.context());
    await writeFile(join(folder, "a.yml"), "services: {}");
    await expect(checkCommand({}, fixture.context())).rejects.toMatchObject({ code: "SITE_INVALID", subject: "overrides/a.yml" });
  });

  it("is a vault that was cut off, or is something else", async () => {
    await using fixture = await SiteFixture.make();
    const file = join(fixture.site, "secrets/production.age");
    const whole = await readFile(file, "utf8");
    const armored = (text: string): string => `-----BEGIN AGE ENCRYPTED FILE-----\n${Buffer.from(text).toString("base64")}\n-----END AGE ENCRYPTED FILE-----\n`;
    for (const text of ["", whole.slice(0, whole.length / 2), whole.replace(/\n[^-]{2}/, "\n"), "<<<<<<< HEAD\n", armored("x")]) {
      await writeFile(file, text);
      await expect(checkCommand({}, fixture.context())).rejects.toMatchObject({ code: "VAULT_INVALID", subject: file });
    }
    await writeFile(file, whole.replaceAll("\n", "\r\n"));
    expect((await checkCommand({}, fixture.context())).text).toContain("good");
  });
});
