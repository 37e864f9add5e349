import { describe, expect, it } from "vitest";
import { accountName, presentFolder } from "../../src/cli/context.ts";

const nameless = (): string => {
  throw new Error("A system error occurred: uv_os_get_passwd returned ENOENT (no such file or directory)");
};

describe("the operator's name", () => {
  it("is that of the account", () => {
    expect(accountName({ USER: "other" }, () => "anna")).toBe("anna");
  });

  it("is taken from the environment where the account has none, as in a CI container", () => {
    expect(accountName({ USER: "ci" }, nameless)).toBe("ci");
    expect(accountName({ LOGNAME: "runner" }, nameless)).toBe("runner");
    expect(accountName({}, nameless)).toBe("unknown");
  });
});

describe("the folder that the shell is in", () => {
  it("is no fault of the tool when it was removed", () => {
    const gone = (): string => {
      throw new Error("ENOENT: no such file or directory, uv_cwd");
    };
    expect(() => presentFolder(gone)).toThrow(expect.objectContaining({ code: "SITE_NOT_FOUND", hint: expect.any(String) }));
  });
});
