import { describe, expect, it } from "vitest";
import { namesOf, reportCommand } from "../../src/cli/commands/report.ts";
import { SiteFixture } from "./site-fixture.ts";

describe("what a report is asked of", () => {
  it("is a run by its id, an environment by its name, or both", () => {
    expect(namesOf({ run: "20261124-020000-1f2e" })).toEqual({ run: "20261124-020000-1f2e", env: undefined });
    expect(namesOf({ run: "staging" })).toEqual({ run: "last", env: "staging" });
    expect(namesOf({})).toEqual({ run: "last", env: undefined });
  });

  it("is told for a mistyped run, with where the runs are listed", async () => {
    await using fixture = await SiteFixture.make();
    await expect(reportCommand({ run: "nosuchrun" }, fixture.context())).rejects.toMatchObject({
      code: "ENVIRONMENT_UNKNOWN",
      message: '"nosuchrun" is neither the id of a run nor an environment.',
      hint: expect.stringMatching(/`millwright history`.*production/) as string,
    });
  });
});
