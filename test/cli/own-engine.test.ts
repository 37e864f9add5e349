import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lockCommand } from "../../src/cli/commands/lock.ts";
import { openEngine } from "../../src/cli/engine.ts";
import { loadTarget } from "../../src/cli/target.ts";
import { SiteFixture } from "./site-fixture.ts";

describe("a Docker engine of this machine that does not answer", () => {
  it("is named by its socket, and no host is blamed", async () => {
    await using fixture = await SiteFixture.make();
    const docker = join(fixture.folder, "nosock");
    const refusal = { code: "DOCKER_DOWN", subject: docker, hint: expect.not.stringContaining("on the host") as string };
    await expect(lockCommand({ docker }, fixture.context())).rejects.toMatchObject(refusal);
    await expect(openEngine(await loadTarget({}, fixture.context()), { docker }, fixture.context())).rejects.toMatchObject(refusal);
  });
});
