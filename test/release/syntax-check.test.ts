import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { CHECK_SYNTAX, syntaxError } from "../../src/release/syntax-check.ts";
import { tree } from "./fixtures.ts";

/** The check as Python runs it, on a folder of this machine. */
async function check(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const script = CHECK_SYNTAX.replaceAll("/opt/millwright/addons", await tree(files));
  const { stdout } = await promisify(execFile)("python3", ["-I", "-B", "-c", script]).catch((error: { stdout: string }) => error);
  return stdout.split("\n");
}

describe("the check of the addons' syntax", () => {
  it("finds nothing in good files", async () => {
    expect(syntaxError(await check({ "scale/a.py": "a = 1\n", "scale/data.xml": "<odoo" }))).toBeUndefined();
  });

  it("names file and line of each bad one", async () => {
    const error = syntaxError(await check({ "scale/a.py": "a = 1\nb = (\n", "scale/b.py": "a = 1\n\n)" }));
    expect(error).toMatchObject({ code: "ADDON_SYNTAX", message: expect.stringContaining("and 1 more") as string });
    expect(error?.details.map((detail) => detail.split(": ")[0]).sort()).toEqual(["addons/scale/a.py:2", "addons/scale/b.py:3"]);
  });
});
