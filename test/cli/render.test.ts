import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { renderCommand } from "../../src/cli/commands/render.ts";
import { SiteFixture } from "./site-fixture.ts";

describe("where a stack is written", () => {
  it("may not be the site folder, which it would fill with its files", async () => {
    await using fixture = await SiteFixture.make();
    const before = await readdir(fixture.site);
    for (const out of [".", fixture.site]) await expect(renderCommand({ out }, fixture.context())).rejects.toMatchObject({ code: "USAGE", exit: 2 });
    expect(await readdir(fixture.site)).toEqual(before);
  });

  it("is refused where a file is in the way, or where no folder can be", async () => {
    await using fixture = await SiteFixture.make();
    const reasons = {
      "site.yaml": "there is a file of that name",
      "/dev/null/x": "a part of its path is a file",
      "/proc/foo": "the file system takes no folder there",
    };
    for (const [out, why] of Object.entries(reasons)) {
      const refusal = { code: "FILE_REFUSED", message: expect.stringContaining(why) as string, subject: expect.stringContaining(out) as string };
      await expect(renderCommand({ out }, fixture.context())).rejects.toMatchObject(refusal);
    }
  });

  it("may be any other folder", async () => {
    await using fixture = await SiteFixture.make();
    await renderCommand({ out: "../elsewhere/deep" }, fixture.context());
    expect(await readdir(join(fixture.folder, "elsewhere/deep"))).toContain(".millwright-stack.json");
  });
});
